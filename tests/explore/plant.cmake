# cmake -DFROM=<repository> -DTO=<folder> [-DPLANTS=<file>] -P plant.cmake
#
# Copies the ring's sources and plants the bugs of plants.cmake (or of PLANTS) into the copy: each replaces one piece of
# code, which must be there exactly once, by a choice at run time between it and its wrong form. A piece that is not found
# once is an error: the source has changed, and the bug must follow it. TO/plants.hpp lists the bugs.

# plant_text(name file right replacement)
function(plant_text name file right replacement)
  get_property(text GLOBAL PROPERTY "text of ${file}")
  if(NOT text)
    file(READ ${FROM}/${file} text)
    set(text "#include \"planted.hpp\"\n${text}")
  endif()
  string(FIND "${text}" "${right}" first)
  string(FIND "${text}" "${right}" last REVERSE)
  if(first EQUAL -1 OR NOT first EQUAL last)
    message(FATAL_ERROR "planted bug \"${name}\": this must be in ${file} exactly once:\n${right}")
  endif()
  string(REPLACE "${right}" "${replacement}" text "${text}")
  set_property(GLOBAL PROPERTY "text of ${file}" "${text}")
  set_property(GLOBAL APPEND PROPERTY plants "${name}")
endfunction()

# plant(name file right wrong): statements; `wrong` may be empty.
function(plant name file right wrong)
  plant_text(${name} ${file} "${right}" "if (::beltway::explore::planted(\"${name}\")) { ${wrong} } else { ${right} }")
endfunction()
# plant_expression(name file right wrong)
function(plant_expression name file right wrong)
  plant_text(${name} ${file} "${right}" "(::beltway::explore::planted(\"${name}\") ? (${wrong}) : (${right}))")
endfunction()

if(NOT PLANTS)
  set(PLANTS ${CMAKE_CURRENT_LIST_DIR}/plants.cmake)
endif()
include(${PLANTS})

# What has not changed is not written, and so not compiled again.
function(write_source file text)
  set(old "")
  if(EXISTS ${TO}/${file})
    file(READ ${TO}/${file} old)
  endif()
  if(NOT old STREQUAL text)
    file(WRITE ${TO}/${file} "${text}")
  endif()
endfunction()

file(GLOB_RECURSE files RELATIVE ${FROM} ${FROM}/include/beltway/*.hpp ${FROM}/src/*.?pp)
list(FILTER files EXCLUDE REGEX "^src/tool/")
foreach(file IN LISTS files)
  get_property(text GLOBAL PROPERTY "text of ${file}")
  if(NOT text)
    file(READ ${FROM}/${file} text)
  endif()
  write_source(${file} "${text}")
endforeach()

get_property(plants GLOBAL PROPERTY plants)
list(REMOVE_DUPLICATES plants)
list(JOIN plants "\",\n    \"" names)
write_source(plants.hpp "// Written by plant.cmake.
#pragma once

namespace beltway::explore {

inline constexpr const char* k_plants[] = {
    \"${names}\"};

}  // namespace beltway::explore
")
