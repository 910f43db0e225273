#include "os/segment.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <algorithm>
#include <vector>

#ifndef MADV_POPULATE_READ  // Linux 5.14; glibc 2.35
#define MADV_POPULATE_READ 22
#define MADV_POPULATE_WRITE 23
#endif
#ifndef MLOCK_ONFAULT
#define MLOCK_ONFAULT 1
#endif
#ifndef MFD_NOEXEC_SEAL  // Linux 6.3
#define MFD_NOEXEC_SEAL 0x0008U
#endif

namespace beltway::os {

namespace {

constexpr int k_seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;

std::size_t page_bytes() noexcept { return static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)); }

/// Shared memory holds no programs: vm.memfd_noexec = 2 refuses memory that does not say so. Kernels before 6.3 do not know
/// the flag.
int create_memfd(const char* name) noexcept {
  constexpr unsigned k_flags = MFD_ALLOW_SEALING | MFD_CLOEXEC;
  const int segment = ::memfd_create(name, k_flags | MFD_NOEXEC_SEAL);
  return segment >= 0 || errno != EINVAL ? segment : ::memfd_create(name, k_flags);
}

/// Under mlockall(MCL_FUTURE) every page of a new mapping is made real at once, unless MCL_ONFAULT was given, too. The kernel
/// does not say which flags are in force, so a page is mapped and its flags are read.
bool fills_new_mappings() noexcept {
  const std::size_t bytes = page_bytes();
  void* const page = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) return errno == EAGAIN;  // RLIMIT_MEMLOCK is in the way: pages would be locked
  unsigned char resident = 0;
  const bool filled = ::mincore(page, bytes, &resident) == 0 && (resident & 1U) != 0;
  ::munmap(page, bytes);
  return filled;
}

std::string limit_text(int resource) {
  rlimit limit{};
  if (::getrlimit(static_cast<__rlimit_resource>(resource), &limit) != 0) return "unknown";
  return limit.rlim_cur == RLIM_INFINITY ? "unlimited" : std::to_string(limit.rlim_cur) + " bytes";
}

bool is_limited(int resource) noexcept {
  rlimit limit{};
  return ::getrlimit(static_cast<__rlimit_resource>(resource), &limit) == 0 && limit.rlim_cur != RLIM_INFINITY;
}

constexpr const char* k_map_step = "mmap of";
constexpr const char* k_lock_step = "mlock2 of";

}  // namespace

Fd make_segment(const std::string& name, std::uint64_t bytes, const std::string& context) {
  // A memfd's name holds 249 characters; it is for people who read /proc and means nothing.
  Fd segment = checked_fd(create_memfd(name.substr(0, 249).c_str()), context + ": memfd_create");
  if (::fchmod(segment.get(), 0600) != 0 || ::ftruncate(segment.get(), static_cast<off_t>(bytes)) != 0 ||
      ::fcntl(segment.get(), F_ADD_SEALS, k_seals) != 0) {
    throw system_failure(context + ": fchmod, ftruncate and fcntl(F_ADD_SEALS) of shared memory of " +
                         std::to_string(bytes) + " bytes");
  }
  return segment;
}

Fd open_segment_anew(int segment, Access access, const std::string& context) {
  const std::string path = "/proc/self/fd/" + std::to_string(segment);
  const int flags = (access == Access::read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC;
  return checked_fd(::open(path.c_str(), flags), context + ": open shared memory anew (is /proc mounted?)");
}

SegmentFacts inspect_segment(int segment) noexcept {
  SegmentFacts facts;
  struct stat status{};
  if (::fstat(segment, &status) != 0) {
    facts.error_number = errno;
    return facts;
  }
  facts.bytes = status.st_size;
  facts.seals = ::fcntl(segment, F_GET_SEALS);
  return facts;
}

bool SegmentFacts::sound(std::uint64_t expected_bytes) const noexcept {
  return error_number == 0 && bytes >= 0 && static_cast<std::uint64_t>(bytes) == expected_bytes && seals >= 0 &&
         (seals & k_seals) == k_seals;
}

void SegmentFacts::check(std::uint64_t expected_bytes, const std::string& context) const {
  if (sound(expected_bytes)) return;
  if (error_number != 0) throw system_failure(context + ": fstat of shared memory", error_number);
  if (bytes < 0 || static_cast<std::uint64_t>(bytes) != expected_bytes) {
    throw Error(Errc::incompatible, context + ": shared memory of " + std::to_string(bytes) + " bytes where " +
                                        std::to_string(expected_bytes) + " were announced; use the daemon's version");
  }
  throw Error(Errc::incompatible, context + ": shared memory that is not sealed; use the daemon's version");
}

MappingPlan::MappingPlan() : fills_new_mappings_(fills_new_mappings()) {}

void MappingFailure::raise(const std::string& context, std::uint64_t bytes) const {
  const std::string operation = context + ": " + step + " " + std::to_string(bytes) + " bytes";
  const bool locking = step == k_lock_step;
  if (error_number == EAGAIN || (locking && (error_number == ENOMEM || error_number == EPERM))) {
    throw Error(Errc::limit_reached, operation + ": this process locks its memory (mlockall), and RLIMIT_MEMLOCK is " +
                                         limit_text(RLIMIT_MEMLOCK) +
                                         ", which counts every mapping whole; raise it (ulimit -l)");
  }
  if (error_number == ENOMEM) {
    throw Error(
        Errc::limit_reached,
        operation + (is_limited(RLIMIT_AS) ? ": no address space is left; RLIMIT_AS is " + limit_text(RLIMIT_AS) +
                                                 "; raise it (ulimit -v)"
                                           : std::string(": no address space is left, or there are more mappings than "
                                                         "vm.max_map_count allows; unmap some, or raise it")));
  }
  throw system_failure(operation, error_number);
}

Mapping::Mapping(int segment, SegmentRange range, Access access, const std::string& context) {
  MappingFailure failure;
  *this = Mapping(segment, range, access, MappingPlan(), failure);
  if (failure) failure.raise(context, range.size);
}

Mapping::Mapping(int segment, SegmentRange range, Access access, const MappingPlan& plan,
                 MappingFailure& failure) noexcept
    : guard_(plan.guard_), size_(static_cast<std::size_t>(range.size)), access_(access) {
  if (const char* const step = map(segment, range, plan)) {
    failure = {step, errno};
    unmap();
  }
}

const char* Mapping::map(int segment, SegmentRange range, const MappingPlan& plan) noexcept {
  // Without access nothing can be filled, whatever mlockall() demands; locking on fault before there is access keeps it so.
  void* const place = ::mmap(nullptr, size_, PROT_NONE, MAP_SHARED, segment, static_cast<off_t>(range.offset));
  if (place == MAP_FAILED) return k_map_step;
  data_ = static_cast<std::byte*>(place);
  if (::madvise(data_, size_, MADV_DONTFORK) != 0) return "madvise(MADV_DONTFORK) of";
  if (plan.fills_new_mappings_ && ::mlock2(data_, size_, MLOCK_ONFAULT) != 0) return k_lock_step;
  const int protection = access_ == Access::read_only ? PROT_READ : PROT_READ | PROT_WRITE;
  return ::mprotect(data_, size_, protection) == 0 ? nullptr : "mprotect of";
}

Mapping& Mapping::operator=(Mapping&& other) noexcept {
  if (this == &other) return *this;
  unmap();
  guard_ = other.guard_;
  data_ = std::exchange(other.data_, nullptr);
  size_ = std::exchange(other.size_, 0);
  access_ = other.access_;
  return *this;
}

void Mapping::unmap() noexcept {
  if (data_ != nullptr && !guard_->in_child()) ::munmap(data_, size_);
  data_ = nullptr;
  size_ = 0;
}

void Mapping::populate(SegmentRange range) const noexcept {
  const int advice = access_ == Access::read_only ? MADV_POPULATE_READ : MADV_POPULATE_WRITE;
  if (range.size != 0) ::madvise(data_ + range.offset, static_cast<std::size_t>(range.size), advice);
}

void Mapping::populate_written(int segment) const noexcept {
  off_t at = 0;
  const auto end = static_cast<off_t>(size_);
  while (at < end) {
    const off_t data = ::lseek(segment, at, SEEK_DATA);
    if (data < 0 || data >= end) return;
    const off_t hole = ::lseek(segment, data, SEEK_HOLE);
    const off_t stop = hole < 0 ? end : std::min(hole, end);
    if (stop <= data) return;
    populate({static_cast<std::uint64_t>(data), static_cast<std::uint64_t>(stop - data)});
    at = stop;
  }
}

void Mapping::lock(SegmentRange range, const std::string& context) const {
  if (::mlock2(data_ + range.offset, static_cast<std::size_t>(range.size), MLOCK_ONFAULT) == 0) return;
  if (errno == ENOMEM || errno == EPERM || errno == EAGAIN) {
    throw Error(Errc::limit_reached, context + ": mlock2 of " + std::to_string(range.size) +
                                         " bytes in memory; raise RLIMIT_MEMLOCK (ulimit -l) or do not ask for "
                                         "lock_memory");
  }
  throw system_failure(context + ": mlock2, which locks memory");
}

void Mapping::leave_out_of_core_dumps() const noexcept {
  if (data_ != nullptr) ::madvise(data_, size_, MADV_DONTDUMP);
}

std::uint64_t Mapping::missing_bytes(SegmentRange range) const {
  const std::size_t page = page_bytes();
  std::vector<unsigned char> resident((static_cast<std::size_t>(range.size) + page - 1) / page);
  if (::mincore(data_ + range.offset, static_cast<std::size_t>(range.size), resident.data()) != 0) return range.size;
  const auto missing = std::count_if(resident.begin(), resident.end(), [](unsigned char p) { return (p & 1) == 0; });
  return static_cast<std::uint64_t>(missing) * page;
}

}  // namespace beltway::os
