// A consumer in an event loop: its descriptor beside other ones, here a timer that also stands for your sockets.
// `epoll_loop [TICKS]` ends after them, or at SIGTERM or Ctrl-C.
#include <beltway/beltway.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

static volatile sig_atomic_t ending = 0;
static beltway_consumer* in = NULL;

static void must(beltway_status status) {
  if (status == BELTWAY_OK) return;
  fprintf(stderr, "%s\n", beltway_last_error());
  exit(1);
}
static void end(int signal) {
  ending = signal;
  beltway_consumer_interrupt(
      in);  // makes the descriptor readable, so the loop comes round; signal handlers may call it
}
static void watch(int loop, int descriptor) {
  struct epoll_event event = {.events = EPOLLIN, .data = {.fd = descriptor}};
  epoll_ctl(loop, EPOLL_CTL_ADD, descriptor, &event);
}

int main(int argc, char** argv) {
  const int count = argc > 1 ? atoi(argv[1]) : 10, loop = epoll_create1(EPOLL_CLOEXEC);
  const int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
  const struct itimerspec every_10_ms = {{0, 10000000}, {0, 10000000}};
  beltway_connection* link = NULL;
  beltway_queue* queue = NULL;
  beltway_producer* out = NULL;
  beltway_message message = BELTWAY_MESSAGE_INIT;
  int ticks = 0, received = 0;
  must(beltway_open(NULL, &link));
  must(beltway_declare(link, "c_events", NULL, &queue));
  must(beltway_producer_new(queue, NULL, &out));
  must(beltway_consumer_new(queue, NULL, &in));
  signal(SIGINT, end), signal(SIGTERM, end);
  timerfd_settime(timer, 0, &every_10_ms, NULL);
  watch(loop, timer), watch(loop, beltway_consumer_poll_fd(in));
  while (received < count && !ending) {
    struct epoll_event event;
    uint64_t expirations = 0;
    if (epoll_wait(loop, &event, 1, -1) != 1) continue;
    if (event.data.fd != timer) {
      // Readable means: there may be something to do. Take all there is; then it is quiet until there is more.
      for (; beltway_try_receive(in, &message) == BELTWAY_OK; ++received)
        printf("tick %d\n", *(const int*)message.data);
    } else if (read(timer, &expirations, sizeof expirations) > 0) {
      ++ticks;
      must(beltway_publish(out, &ticks, sizeof ticks));
    }
  }
  return 0;
}
