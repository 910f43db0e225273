# The soak with actors in every language; the test tells what this build does not have. BELTWAY_SOAK_S=600 makes it a long one.
if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "GNU" OR BELTWAY_SANITIZE OR BELTWAY_COVERAGE)
  return()
endif()
set(actors)
add_custom_target(languages_soak DEPENDS beltwayd beltway_tool)
if(COMMAND add_c_program)  # of tests/c
  add_c_program(soak_actor_c ${CMAKE_CURRENT_SOURCE_DIR}/c/soak_actor.c)
  list(APPEND actors "C=$<TARGET_FILE:soak_actor_c>")
  add_dependencies(languages_soak soak_actor_c)
else()
  list(APPEND actors "C=")
endif()
if(TARGET beltway_python)
  list(APPEND actors "Python=/usr/bin/python3 ${CMAKE_CURRENT_SOURCE_DIR}/python/soak_actor.py")
  add_dependencies(languages_soak beltway_python)
else()
  list(APPEND actors "Python=")
endif()
if(TARGET beltway_node AND BELTWAY_NODE)
  list(APPEND actors "Node=${BELTWAY_NODE} ${CMAKE_CURRENT_SOURCE_DIR}/node/soak_actor.js")
  add_dependencies(languages_soak beltway_node)
else()
  list(APPEND actors "Node=")
endif()
if(EXISTS /usr/bin/python3)
  list(JOIN actors "\" \"" actors)
  # As a script, for `tests/run.sh soak`, too.
  file(GENERATE OUTPUT ${PROJECT_BINARY_DIR}/languages_soak.sh CONTENT "#!/bin/sh
export PYTHONPATH='${PROJECT_BINARY_DIR}/python' PYTHONDONTWRITEBYTECODE=1 BELTWAY_TEST_PACKAGE='${PROJECT_BINARY_DIR}/node'
exec /usr/bin/python3 '${CMAKE_CURRENT_SOURCE_DIR}/e2e/languages_soak.py' '$<TARGET_FILE:beltwayd>' '$<TARGET_FILE:beltway_tool>' \\
  \"${actors}\"
" FILE_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE)
  set(name soak.killed_actors_of_every_language_lose_nothing)
  add_test(NAME ${name} COMMAND ${PROJECT_BINARY_DIR}/languages_soak.sh)
  set_tests_properties(${name} PROPERTIES TIMEOUT ${timeout_s} LABELS e2e)
  add_test(NAME soak.shares_of_languages COMMAND /usr/bin/python3 ${CMAKE_CURRENT_SOURCE_DIR}/e2e/languages_soak_test.py)
  set_tests_properties(soak.shares_of_languages PROPERTIES TIMEOUT ${timeout_s} LABELS unit
    ENVIRONMENT PYTHONDONTWRITEBYTECODE=1)
endif()
