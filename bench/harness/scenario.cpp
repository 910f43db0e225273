// The parent's side of a scenario: memory, workers, daemons, and their end.
#include "harness/scenario.hpp"

#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <new>
#include <optional>
#include <system_error>

#include "beltway/connection.hpp"
#include "harness/leader.hpp"
#include "tool/bench/bench_workers.hpp"
#include "tool/process/exit_code.hpp"

namespace beltway::bench {

namespace {

volatile std::sig_atomic_t g_interrupted = 0;

/// A folder that goes with this object.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "beltway-bench-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) throw std::system_error(errno, std::generic_category(), "mkdtemp");
    path_ = pattern;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

 private:
  std::filesystem::path path_;
};

/// A daemon that a candidate needs; its words go to a file. It ends with this object, or with us.
class Daemon {
 public:
  Daemon(std::vector<std::string> command, const std::filesystem::path& log) {
    std::vector<char*> arguments;
    for (std::string& argument : command) arguments.push_back(argument.data());
    arguments.push_back(nullptr);
    pid_ = fork();
    if (pid_ < 0) throw std::system_error(errno, std::generic_category(), "fork");
    if (pid_ > 0) return;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (std::freopen(log.c_str(), "w", stdout) == nullptr || dup2(1, 2) < 0) _exit(126);
    execvp(arguments[0], arguments.data());
    _exit(127);
  }
  ~Daemon() {
    kill(pid_, SIGTERM);
    waitpid(pid_, nullptr, 0);
  }
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

 private:
  pid_t pid_;
};

void await_beltwayd(const std::string& socket) {
  constexpr unsigned k_tries = 500;
  constexpr unsigned k_nap_us = 10'000;
  for (unsigned i = 0; i < k_tries; ++i, usleep(k_nap_us)) {
    try {
      static_cast<void>(Connection::open({.socket = socket, .start_daemon = false}).ping());
      return;
    } catch (const Error&) {
      continue;  // not there yet
    }
  }
  throw tool::Failure(tool::ExitCode::no_daemon, "bench: beltwayd does not answer");
}

/// Chunks for both directions, as many as may be in flight, held and loaned, and large enough for iceoryx's own header.
std::string roudi_config(const Spec& spec) {
  constexpr std::uint64_t k_chunks = 1200;
  constexpr std::uint64_t k_most_bytes = 2ULL << 30;
  const std::uint64_t count = std::min(k_chunks, std::max<std::uint64_t>(16, k_most_bytes / spec.size_bytes));
  return "[general]\nversion = 1\n[[segment]]\n[[segment.mempool]]\nsize = " +
         std::to_string((spec.size_bytes + 63) / 64 * 64) + "\ncount = " + std::to_string(count) + "\n";
}

bool any(const Entries& entries, const std::string& prefix) {
  return std::ranges::any_of(entries, [&](const Entry& entry) { return entry.name.starts_with(prefix); });
}

Page& make_page() {
  constexpr int k_protection = PROT_READ | PROT_WRITE;
  void* const memory = mmap(nullptr, sizeof(Page), k_protection, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw std::system_error(errno, std::generic_category(), "mmap");
  return *new (memory) Page;
}

}  // namespace

void run_scenario(Spec spec, const Settings& settings, const Entries& entries,
                  const std::function<void(const Spec& spec, const Results& results)>& report) {
  static unsigned scenarios = 0;
  const TemporaryFolder folder;
  spec.folder = folder.path().string();
  spec.socket = (folder.path() / "beltwayd.sock").string();
  // Without "beltway": a test that runs meanwhile takes files of that name in /dev/shm for leaks, and removes them.
  spec.name = "bench-" + std::to_string(getpid()) + "-" + std::to_string(scenarios++);
  std::vector<std::unique_ptr<Candidate>> candidates;
  for (const Entry& entry : entries) candidates.push_back(entry.make(spec));

  Page& page = make_page();
  std::vector<int> processors;
  for (std::uint32_t i = 0; i < spec.workers() && !settings.processors.empty(); ++i)
    processors.push_back(settings.processors[i % settings.processors.size()]);
  {
    std::optional<Daemon> beltwayd;
    std::optional<Daemon> roudi;
    // Before the daemons, so that no worker has anything of ours but what it needs.
    tool::Workers workers(page.control, spec.workers(), processors, [&](std::uint32_t worker) {
      run_worker(page, spec, settings, worker, candidates, [&](Results& results) {
        for (std::size_t i = 0; i < entries.size(); ++i) results.candidates[i].candidate = entries[i].name;
        report(spec, results);
      });
    });
    if (any(entries, "beltway")) {
      const auto beside_us = std::filesystem::read_symlink("/proc/self/exe").parent_path() / "beltwayd";
      beltwayd.emplace(std::vector<std::string>{beside_us.string(), "--socket", spec.socket},
                       folder.path() / "beltwayd.log");
      await_beltwayd(spec.socket);
    }
    if (any(entries, "iceoryx")) {
      const auto config = folder.path() / "roudi.toml";
      std::ofstream(config) << roudi_config(spec);
      roudi.emplace(std::vector<std::string>{"iox-roudi", "-m", "off", "-c", config.string()},
                    folder.path() / "roudi.log");
    }
    std::signal(SIGINT, [](int) { g_interrupted = 1; });
    std::signal(SIGTERM, [](int) { g_interrupted = 1; });
    page.control.go.value.store(1, std::memory_order_release);  // pairs with the acquire in Workers
    constexpr unsigned k_look_us = 20'000;
    while (workers.going_well() && g_interrupted == 0) usleep(k_look_us);
    if (g_interrupted != 0) throw tool::Failure(tool::exit_code_of_signal(SIGINT), "bench: interrupted");
    workers.throw_failure();
  }
  munmap(&page, sizeof page);
}

}  // namespace beltway::bench
