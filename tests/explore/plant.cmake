# cmake -DFROM=<repository> -DTO=<folder> [-DPLANTS=<file>] -P plant.cmake
#
# Copies the ring's sources and plants the bugs of plants.cmake (or of PLANTS) into the copy. Each bug becomes a choice at run
# time between the code and its wrong form. TO/plants.hpp lists the bugs.
#
# A source names the places by marks: `// plant: no_help, no_check_of_the_slot` alone on a line marks the statement on the lines
# below, up to the first line that ends with ; or { or } before its comment. A bug with several places has the marks NAME, NAME/2, NAME/3. It is an error if
# a plant has no mark or several, and, where CHECK_MARKS is set, if a mark has no plant.
#
#   plant(MARK wrong)            the marked statement is replaced by `wrong`, which may be empty
#   plant_condition(MARK wrong)  the condition of the marked if or while is replaced
#   plant_value(MARK wrong)      what follows the first " = " of the marked declaration is replaced
#   plant_before(MARK wrong)     `wrong` runs before the marked statement

cmake_minimum_required(VERSION 3.25)

file(GLOB_RECURSE files RELATIVE ${FROM} ${FROM}/include/beltway/*.hpp ${FROM}/src/*.?pp)
list(FILTER files EXCLUDE REGEX "^src/tool/")
foreach(file IN LISTS files)
  file(READ ${FROM}/${file} text)
  set_property(GLOBAL PROPERTY "text of ${file}" "${text}")
  string(REGEX MATCHALL "// plant: [a-z0-9_/, ]+" lines "${text}")
  foreach(line IN LISTS lines)
    string(REPLACE "// plant: " "" names "${line}")
    string(REPLACE ", " ";" names "${names}")
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
    set(new "if (${choice}) { ${wrong} } else { ${statement} }")
  elseif(how STREQUAL "before")
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
