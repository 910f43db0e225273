# cmake -DNM=<nm> -DOBJECTS=<object>,<object>... -P no_asserts.cmake: an error if an object calls assert().
string(REPLACE "," ";" objects "${OBJECTS}")
if(NOT objects)
  message(FATAL_ERROR "no objects to check")
endif()
# The objects' names stand before their symbols. The whole text is no list, so that a search of it takes no time.
execute_process(COMMAND ${NM} -A -u ${objects} OUTPUT_VARIABLE symbols COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCHALL "[^\n]*__assert_fail" asserts "${symbols}")
if(asserts)
  list(JOIN asserts "\n  " asserts)
  message(FATAL_ERROR "objects with an assert; compile them with NDEBUG:\n  ${asserts}")
endif()
