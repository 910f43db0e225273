# The protocol's sources as the harnesses link them, and a check of what they link.
include(${CMAKE_CURRENT_LIST_DIR}/protocol_sources.cmake)

# check_no_asserts(target): a test fails if an object of this object library has an assert. The harnesses run the code as users do.
function(check_no_asserts target)
  add_test(NAME ${target}.has_no_asserts
    COMMAND ${CMAKE_COMMAND} -DNM=${CMAKE_NM} "-DOBJECTS=$<JOIN:$<TARGET_OBJECTS:${target}>,$<COMMA>>"
      -P ${PROJECT_SOURCE_DIR}/tests/no_asserts.cmake)
  set_tests_properties(${target}.has_no_asserts PROPERTIES TIMEOUT 60 LABELS unit)
endfunction()

# The protocol as it is installed: optimised, without asserts and without the checks of single_use.hpp. For the crash images at every
# instruction and for the counts of instructions.
if(NOT TARGET installed_protocol)
  list(TRANSFORM protocol_sources PREPEND ${PROJECT_SOURCE_DIR}/ OUTPUT_VARIABLE installed_sources)
  add_library(installed_protocol OBJECT ${installed_sources})
  target_compile_definitions(installed_protocol PUBLIC NDEBUG)
  target_compile_options(installed_protocol PRIVATE -O2)
  target_include_directories(installed_protocol PRIVATE ${PROJECT_SOURCE_DIR}/include ${PROJECT_SOURCE_DIR}/src)
  target_link_libraries(installed_protocol PRIVATE beltway_flags)
  set_target_properties(installed_protocol PROPERTIES
    VISIBILITY_INLINES_HIDDEN ON CXX_VISIBILITY_PRESET hidden POSITION_INDEPENDENT_CODE ON)
  check_no_asserts(installed_protocol)
endif()
