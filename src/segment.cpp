#include "segment.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <algorithm>
#include <boost/interprocess/detail/os_file_functions.hpp>
#include <boost/interprocess/exceptions.hpp>
#include <boost/interprocess/mapped_region.hpp>
#include <vector>

#include "memory_probe.hpp"

#ifndef MADV_POPULATE_READ  // Linux 5.14; glibc 2.35
#define MADV_POPULATE_READ 22
#define MADV_POPULATE_WRITE 23
#endif
#ifndef MLOCK_ONFAULT
#define MLOCK_ONFAULT 1
#endif

namespace beltway {
namespace {

constexpr int k_seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;

/// What Boost.Interprocess asks of something that can be mapped; a memfd is such a thing.
class MappableFd {
 public:
  explicit MappableFd(int descriptor) noexcept : descriptor_(descriptor) {}
  [[nodiscard]] boost::interprocess::mapping_handle_t get_mapping_handle() const noexcept {
    return boost::interprocess::ipcdetail::mapping_handle_from_file_handle(descriptor_);
  }

 private:
  int descriptor_;
};

std::size_t page_bytes() noexcept { return boost::interprocess::mapped_region::get_page_size(); }

}  // namespace

Fd make_segment(const std::string& name, std::uint64_t bytes, const std::string& what) {
  // A memfd's name holds 249 characters; it is for people who read /proc and means nothing.
  Fd segment = checked_fd(::memfd_create(name.substr(0, 249).c_str(), MFD_ALLOW_SEALING | MFD_CLOEXEC),
                          what + ": make shared memory");
  if (::fchmod(segment.get(), 0600) != 0 || ::ftruncate(segment.get(), static_cast<off_t>(bytes)) != 0 ||
      ::fcntl(segment.get(), F_ADD_SEALS, k_seals) != 0) {
    throw system_failure(what + ": size and seal shared memory of " + std::to_string(bytes) + " bytes");
  }
  return segment;
}

Fd open_segment_anew(int segment, Access access, const std::string& what) {
  const std::string path = "/proc/self/fd/" + std::to_string(segment);
  const int flags = (access == Access::read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC;
  return checked_fd(::open(path.c_str(), flags), what + ": open shared memory anew (is /proc mounted?)");
}

void check_segment(int segment, std::uint64_t bytes, const std::string& what) {
  struct stat status{};
  if (::fstat(segment, &status) != 0) throw system_failure(what + ": look at shared memory");
  if (status.st_size < 0 || static_cast<std::uint64_t>(status.st_size) != bytes) {
    throw Error(Errc::incompatible, what + ": shared memory of " + std::to_string(status.st_size) + " bytes where " +
                                        std::to_string(bytes) + " were announced; use the daemon's version");
  }
  const int seals = ::fcntl(segment, F_GET_SEALS);
  if (seals < 0 || (seals & k_seals) != k_seals) {
    throw Error(Errc::incompatible, what + ": shared memory that is not sealed; use the daemon's version");
  }
}

void fill_segment(int segment, SegmentRange range, const std::string& what) {
  require_memory(range.size, what);
  int result = 0;
  do {
    result = ::fallocate(segment, 0, static_cast<off_t>(range.offset), static_cast<off_t>(range.size));
  } while (result != 0 && errno == EINTR);
  if (result == 0) return;
  if (errno == ENOSPC || errno == ENOMEM) {
    throw Error(Errc::limit_reached, what + ": no memory for " + std::to_string(range.size) +
                                         " bytes; free some, or choose fewer slots or smaller lanes");
  }
  throw system_failure(what + ": fill shared memory");
}

void Mapping::Unmap::operator()(boost::interprocess::mapped_region* region) const noexcept {
  if (!guard || !guard->in_child()) delete region;
}

Mapping::Mapping(int segment, SegmentRange range, Access access, const std::string& what)
    : size_(static_cast<std::size_t>(range.size)), access_(access) {
  namespace bi = boost::interprocess;
  region_.get_deleter().guard.emplace();
  try {
    region_.reset(new bi::mapped_region(MappableFd(segment),
                                        access == Access::read_only ? bi::read_only : bi::read_write,
                                        static_cast<bi::offset_t>(range.offset), size_));
  } catch (const bi::interprocess_exception& error) {
    throw system_failure(what + ": map " + std::to_string(range.size) + " bytes", error.get_native_error());
  }
  data_ = static_cast<std::byte*>(region_->get_address());
  if (::madvise(data_, size_, MADV_DONTFORK) != 0) throw system_failure(what + ": keep memory from forked children");
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

void Mapping::lock(SegmentRange range, const std::string& what) const {
  if (::mlock2(data_ + range.offset, static_cast<std::size_t>(range.size), MLOCK_ONFAULT) == 0) return;
  if (errno == ENOMEM || errno == EPERM || errno == EAGAIN) {
    throw Error(Errc::limit_reached, what + ": lock " + std::to_string(range.size) +
                                         " bytes in memory; raise RLIMIT_MEMLOCK (ulimit -l) or do not ask for "
                                         "lock_memory");
  }
  throw system_failure(what + ": lock memory");
}

std::uint64_t Mapping::missing_bytes(SegmentRange range) const {
  const std::size_t page = page_bytes();
  std::vector<unsigned char> resident((static_cast<std::size_t>(range.size) + page - 1) / page);
  if (::mincore(data_ + range.offset, static_cast<std::size_t>(range.size), resident.data()) != 0) return range.size;
  const auto missing = std::count_if(resident.begin(), resident.end(), [](unsigned char p) { return (p & 1) == 0; });
  return static_cast<std::uint64_t>(missing) * page;
}

}  // namespace beltway
