// Opens a connection without a socket's name, and prints the daemon's pid and version.
#include <beltway/beltway.h>
#include <stdio.h>

int main(void) {
  beltway_connection* link = NULL;
  beltway_daemon_info* daemon = NULL;
  if (beltway_open(NULL, &link) != BELTWAY_OK || beltway_ping(link, &daemon) != BELTWAY_OK) {
    fprintf(stderr, "%s\n", beltway_last_error());
    return 1;
  }
  printf("%d %s\n", (int)daemon->pid, daemon->version);
  return 0;
}
