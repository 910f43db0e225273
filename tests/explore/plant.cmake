# cmake -DFROM=<repository> -DTO=<folder> -DCOMPILED=<source>,<source>... [-DPLANTS=<file>] -P plant.cmake
#
# Copies the ring's sources and plants the bugs of plants.cmake (or of PLANTS) into the copy. Each bug becomes a choice at run
# time between the code and its wrong form. TO/plants.hpp lists the bugs.
#
# A source names the places by marks: `// plant: no_help, no_check_of_the_slot` alone on a line marks the statement on the lines
# below, up to the first line that ends with ; or { or } before its comment. A bug with several places has the marks NAME, NAME/2,
# NAME/3.
#
# It is an error if something would have no effect:
# - a plant without a mark, or with several
# - a plant whose wrong form is what stands there already
# - a mark that is not alone on its line, or is written in another way
# - a mark in a source that the harness does not compile (COMPILED; a header: no compiled source lies in its folder)
# - where CHECK_MARKS is set, a mark without a plant
#
#   plant(MARK wrong)            the marked statement is replaced by `wrong`, which may be empty
#   plant_condition(MARK wrong)  the condition of the marked if or while is replaced
#   plant_value(MARK wrong)      what follows the first " = " of the marked declaration is replaced
#   plant_before(MARK wrong)     `wrong` runs before the marked statement

cmake_minimum_required(VERSION 3.25)

string(REPLACE "," ";" compiled "${COMPILED}")
set(compiled_folders include/beltway include/beltway/detail)
foreach(source IN LISTS compiled)
  if(NOT EXISTS ${FROM}/${source})
    message(FATAL_ERROR "COMPILED names ${source}, which is not there")
  endif()
  cmake_path(GET source PARENT_PATH folder)
  list(APPEND compiled_folders ${folder})
endforeach()

# Also looks at the sources that are not copied: a mark there is an error.
file(GLOB_RECURSE files RELATIVE ${FROM}
  ${FROM}/include/beltway/*.hpp ${FROM}/src/*.?pp ${FROM}/daemon/*.?pp ${FROM}/bench/*.?pp ${FROM}/examples/*.?pp)
foreach(file IN LISTS files)
  file(READ ${FROM}/${file} text)
  set_property(GLOBAL PROPERTY "text of ${file}" "${text}")
  string(REGEX REPLACE "[][;]" "?" searched "${text}")  # these would divide or join the lines of the list
  string(REGEX MATCHALL "[^\n]*//+ *[Pp][Ll][Aa][Nn][Tt]:[^\n]*" lines "${searched}")
  foreach(line IN LISTS lines)
    if(NOT line MATCHES "^ *// plant: ([a-z0-9_/]+(, [a-z0-9_/]+)*)$")
      message(FATAL_ERROR "${file}: this is no mark: a mark is \"// plant: NAME, NAME\" alone on a line:\n${line}")
    endif()
    string(REPLACE ", " ";" names "${CMAKE_MATCH_1}")
    cmake_path(GET file PARENT_PATH folder)
    if(NOT file IN_LIST compiled AND (file MATCHES "\\.cpp$" OR NOT folder IN_LIST compiled_folders))
      message(FATAL_ERROR "${file} has the mark \"// plant: ${CMAKE_MATCH_1}\", but the harness does not compile it")
    endif()
    foreach(name IN LISTS names)
      get_property(before GLOBAL PROPERTY "file of ${name}")
      if(before)
        message(FATAL_ERROR "the mark \"plant: ${name}\" is there twice, in ${before} and in ${file}")
      endif()
      set_property(GLOBAL PROPERTY "file of ${name}" "${file}")
      set_property(GLOBAL APPEND PROPERTY marks "${name}")
    endforeach()
  endforeach()
endforeach()
list(FILTER files INCLUDE REGEX "^(include|src)/")
list(FILTER files EXCLUDE REGEX "^src/tool/")

# Fails if the wrong form is the right one but for spaces.
function(check_effect mark right wrong)
  string(REGEX REPLACE "[ \n]+" "" right "${right}")
  string(REGEX REPLACE "[ \n]+" "" wrong "${wrong}")
  string(REGEX REPLACE ";$" "" right "${right}")
  string(REGEX REPLACE ";$" "" wrong "${wrong}")
  if(right STREQUAL wrong)
    message(FATAL_ERROR "planted bug \"${mark}\" has no effect: what is planted stands there already: ${right}")
  endif()
endfunction()

# Plants the bug of a mark. `how`: statement, condition, value or before.
function(replace_marked mark how wrong)
  get_property(file GLOBAL PROPERTY "file of ${mark}")
  if(NOT file)
    message(FATAL_ERROR "planted bug \"${mark}\": no source has the mark \"// plant: ${mark}\"")
  endif()
  string(REGEX REPLACE "/[0-9]+$" "" bug "${mark}")
  get_property(text GLOBAL PROPERTY "text of ${file}")
  string(REGEX MATCH "// plant: ([a-z0-9_/]+, )*${mark}(,[a-z0-9_/, ]+)?\n" line "${text}")
  string(FIND "${text}" "${line}" at)
  string(LENGTH "${line}" length)
  math(EXPR start "${at} + ${length}")
  string(SUBSTRING "${text}" 0 ${start} head)
  string(SUBSTRING "${text}" ${start} -1 rest)
  # On one line: a statement may have several marks.
  set(statement "")
  while(NOT statement MATCHES "[;{}]$" AND NOT rest STREQUAL "")
    string(FIND "${rest}" "\n" end)
    string(SUBSTRING "${rest}" 0 ${end} part)
    math(EXPR end "${end} + 1")
    string(SUBSTRING "${rest}" ${end} -1 rest)
    string(REGEX REPLACE " *//.*$" "" part "${part}")
    string(APPEND statement "${part}")
  endwhile()
  string(REPLACE "\n" " " wrong "${wrong}")
  set(choice "::beltway::explore::planted(\"${bug}\")")
  if(how STREQUAL "statement")
    check_effect(${mark} "${statement}" "${wrong}")
    set(new "if (${choice}) { ${wrong} } else { ${statement} }")
  elseif(how STREQUAL "before")
    check_effect(${mark} "" "${wrong}")
    set(new "if (${choice}) { ${wrong} } ${statement}")
  else()
    if(how STREQUAL "value")
      string(FIND "${statement}" " = " from)
      set(start " = ")
      string(FIND "${statement}" ";" to REVERSE)
    else()
      string(REGEX MATCH "(if|while) \\(" start "${statement}")
      string(FIND "${statement}" "${start}" from)
    endif()
    if(from EQUAL -1 OR start STREQUAL "")
      message(FATAL_ERROR "planted bug \"${mark}\": no ${how} behind the mark in ${file}:\n${statement}")
    endif()
    string(LENGTH "${start}" length)
    math(EXPR from "${from} + ${length}")
    if(how STREQUAL "condition")  # up to the parenthesis that closes it
      set(to ${from})
      set(depth 1)
      while(TRUE)
        string(SUBSTRING "${statement}" ${to} 1 char)
        if(char STREQUAL "(")
          math(EXPR depth "${depth} + 1")
        elseif(char STREQUAL ")")
          math(EXPR depth "${depth} - 1")
        endif()
        if(depth EQUAL 0)
          break()
        endif()
        math(EXPR to "${to} + 1")
      endwhile()
    endif()
    math(EXPR length "${to} - ${from}")
    string(SUBSTRING "${statement}" 0 ${from} left)
    string(SUBSTRING "${statement}" ${from} ${length} right)
    string(SUBSTRING "${statement}" ${to} -1 tail)
    check_effect(${mark} "${right}" "${wrong}")
    set(new "${left}${choice} ? (${wrong}) : (${right})${tail}")
  endif()
  set_property(GLOBAL PROPERTY "text of ${file}" "${head}${new}\n${rest}")
  set_property(GLOBAL APPEND PROPERTY planted_files "${file}")
  set_property(GLOBAL APPEND PROPERTY planted_marks "${mark}")
  set_property(GLOBAL APPEND PROPERTY plants "${bug}")
endfunction()

function(plant mark wrong)
  replace_marked(${mark} statement "${wrong}")
endfunction()
function(plant_condition mark wrong)
  replace_marked(${mark} condition "${wrong}")
endfunction()
function(plant_value mark wrong)
  replace_marked(${mark} value "${wrong}")
endfunction()
function(plant_before mark wrong)
  replace_marked(${mark} before "${wrong}")
endfunction()

if(NOT PLANTS)
  set(PLANTS ${CMAKE_CURRENT_LIST_DIR}/plants.cmake)
endif()
include(${PLANTS})

get_property(marks GLOBAL PROPERTY marks)
get_property(planted_marks GLOBAL PROPERTY planted_marks)
if(CHECK_MARKS)
  foreach(mark IN LISTS marks)
    if(NOT mark IN_LIST planted_marks)
      get_property(file GLOBAL PROPERTY "file of ${mark}")
      message(FATAL_ERROR "${file} has the mark \"// plant: ${mark}\", but no such bug is planted")
    endif()
  endforeach()
endif()

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

get_property(planted_files GLOBAL PROPERTY planted_files)
foreach(file IN LISTS files)
  get_property(text GLOBAL PROPERTY "text of ${file}")
  if(file IN_LIST planted_files)
    set(text "#include \"planted.hpp\"\n${text}")
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
