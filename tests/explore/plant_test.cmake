# cmake -DWORK=<folder> -P plant_test.cmake: plant.cmake accepts a bug that has an effect, and refuses what would have none.
cmake_minimum_required(VERSION 3.25)

# try_plant(source plants what): plants `plants` into one compiled source. `what`: a part of the error; empty: none.
function(try_plant source plants what)
  file(REMOVE_RECURSE ${WORK})
  file(WRITE ${WORK}/from/src/ring/claim.cpp "${source}")
  file(WRITE ${WORK}/from/src/client/queue.cpp "${other_source}")
  file(WRITE ${WORK}/from/daemon/queues/queue.hpp "${daemon_header}")
  file(WRITE ${WORK}/plants.cmake "${plants}")
  execute_process(
    COMMAND ${CMAKE_COMMAND} -DFROM=${WORK}/from -DTO=${WORK}/to -DPLANTS=${WORK}/plants.cmake -DCHECK_MARKS=ON
      -DCOMPILED=src/ring/claim.cpp -P ${CMAKE_CURRENT_LIST_DIR}/plant.cmake
    RESULT_VARIABLE result ERROR_VARIABLE error)
  string(REGEX REPLACE "[ \n]+" " " error "${error}")
  if(what STREQUAL "")
    if(NOT result EQUAL 0)
      message(SEND_ERROR "refused: ${error}")
    endif()
  elseif(result EQUAL 0)
    message(SEND_ERROR "accepted, instead of \"${what}\":\n${source}\n${plants}")
  else()
    string(FIND "${error}" "${what}" at)
    if(at EQUAL -1)
      message(SEND_ERROR "it says\n${error}\ninstead of \"${what}\"")
    endif()
  endif()
endfunction()

set(marked "  // plant: bug\n  if (a < b) return c;\n")

try_plant("${marked}" "plant(bug \"\")" "")
file(READ ${WORK}/to/src/ring/claim.cpp planted)
if(NOT planted MATCHES "planted\\(\"bug\"\\)")
  message(SEND_ERROR "nothing was planted:\n${planted}")
endif()
try_plant("${marked}" "plant_condition(bug [[a <= b]])" "")

try_plant("${marked}" "" "no such bug is planted")
try_plant("" "plant(bug \"\")" "no source has the mark")
try_plant("${marked}${marked}" "plant(bug \"\")" "is there twice")
try_plant("${marked}" "plant(bug [[if (a<b) return c]])" "has no effect")
try_plant("${marked}" "plant_condition(bug [[a  < b]])" "has no effect")
try_plant("${marked}" "plant_before(bug \"\")" "has no effect")
foreach(line "//plant: bug" "// Plant: bug" "// plant: Bug" "// plant: bug because of this" "int x; // plant: bug" "// plant:")
  try_plant("${marked}${line}\n" "plant(bug \"\")" "this is no mark")
endforeach()

set(other_source "// plant: other\nint x;\n")
try_plant("${marked}" "plant(bug \"\")\nplant(other \"\")" "the harness does not compile it")
set(other_source "")
set(daemon_header "// plant: other\nint x;\n")
try_plant("${marked}" "plant(bug \"\")\nplant(other \"\")" "the harness does not compile it")
