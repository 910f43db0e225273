# Writes a man page from what a program says with --help, so that the page is always true. A script of CMake:
#   cmake -DPROGRAM=... -DNAME=beltwayd -DSECTION=8 -DVERSION=0.2.0 -DOUT=... -P man_page.cmake
# The command beltway writes its pages itself.
# roff_of(out text): a text as it is, in roff.
function(roff_of out text)
  string(REPLACE "\\" "\\e" text "${text}")
  string(REPLACE "-" "\\-" text "${text}")
  string(REPLACE "\n." "\n\\&." text "\n${text}")  # a line that begins with a dot or a quote is none of roff's
  string(REPLACE "\n'" "\n\\&'" text "${text}")
  string(SUBSTRING "${text}" 1 -1 text)
  set(${out} "${text}" PARENT_SCOPE)
endfunction()

execute_process(COMMAND ${PROGRAM} --help OUTPUT_VARIABLE help COMMAND_ERROR_IS_FATAL ANY)
string(REPLACE "${PROGRAM}" "${NAME}" help "${help}")
string(STRIP "${help}" help)
string(REGEX MATCH "^[^\n]*" summary "${help}")
string(REGEX REPLACE "\\.$" "" summary "${summary}")
roff_of(summary "${summary}")
roff_of(help "${help}")
string(TOUPPER "${NAME}" title)
file(WRITE "${OUT}" ".TH ${title} ${SECTION} \"\" \"beltway ${VERSION}\" \"Beltway\"
.SH NAME
${NAME} \\- ${summary}
.SH DESCRIPTION
.nf
${help}
.fi
.SH SEE ALSO
.BR beltway (1)
")
