# beltway.pika: Python alone, so once is enough, in the preset of g++. The oracle is a real RabbitMQ.
if(NOT TARGET beltway_python OR NOT CMAKE_CXX_COMPILER_ID STREQUAL "GNU" OR BELTWAY_SANITIZE OR BELTWAY_COVERAGE)
  return()
endif()
foreach(name pika pika_parameters pika_garbage pika_callbacks pika_oracle pika_examples)
  add_test(NAME python.${name} COMMAND /usr/bin/python3 ${CMAKE_CURRENT_SOURCE_DIR}/python/${name}_test.py
    ${CMAKE_RUNTIME_OUTPUT_DIRECTORY} ${PROJECT_BINARY_DIR}/python)
  set_tests_properties(python.${name} PROPERTIES TIMEOUT ${timeout_s} LABELS python ENVIRONMENT PYTHONDONTWRITEBYTECODE=1)
endforeach()
# A broker starts in seconds, but on a machine that does other things, too, these are many.
set_tests_properties(python.pika_oracle PROPERTIES TIMEOUT 300 COST 50 SKIP_REGULAR_EXPRESSION "SKIPPED: THE ORACLE")
