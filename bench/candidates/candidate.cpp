// The list of candidates, and what all candidates use.
#include "candidates/candidate.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "tool/process/exit_code.hpp"

namespace beltway::bench {

void throw_torn() { throw tool::Failure(tool::ExitCode::failed, "bench: a message is not what was sent"); }

Entries all_candidates() {
  Entries entries;
  add_raw(entries);
  add_beltway(entries);
#ifdef BELTWAY_BENCH_C
  add_beltway_c(entries);
#endif
  add_boost(entries);
#ifdef BELTWAY_BENCH_ICEORYX
  add_iceoryx(entries);
#endif
  add_kernel(entries);
#ifdef BELTWAY_BENCH_ZEROMQ
  add_zeromq(entries);
#endif
#ifdef BELTWAY_BENCH_NNG
  add_nng(entries);
#endif
  return entries;
}

SharedMemory::SharedMemory(std::size_t bytes) : bytes_(bytes) {
  void* const memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  if (memory == MAP_FAILED) throw std::system_error(errno, std::generic_category(), "mmap");
  data_ = static_cast<std::byte*>(memory);
}
SharedMemory::~SharedMemory() { munmap(data_, bytes_); }

Unpinned::Unpinned() {
  sched_getaffinity(0, sizeof before_, &before_);
  cpu_set_t all;
  CPU_ZERO(&all);
  for (long i = 0; i < sysconf(_SC_NPROCESSORS_ONLN); ++i) CPU_SET(static_cast<std::size_t>(i), &all);
  sched_setaffinity(0, sizeof all, &all);
}
Unpinned::~Unpinned() { sched_setaffinity(0, sizeof before_, &before_); }

}  // namespace beltway::bench
