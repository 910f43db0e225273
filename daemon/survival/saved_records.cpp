// See saved_records.hpp.
#include "survival/saved_records.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <boost/interprocess/exceptions.hpp>
#include <cstring>

#include "os/segment.hpp"

namespace beltway::daemon {
namespace {

constexpr std::uint64_t k_registry_magic = 0x0a79727473'676572ULL;  // "regstry\n"
constexpr std::uint64_t k_registry_layout = 1;
constexpr std::size_t k_starts_word = 2;
constexpr std::size_t k_places_offset = 4096;
constexpr std::size_t k_place_bytes = 4096 + 2 * k_max_record_bytes;  // commit has a page for itself
constexpr std::uint64_t k_registry_bytes = k_places_offset + std::uint64_t{k_max_places} * k_place_bytes;
constexpr const char* k_keep_registry = "keep the registry";

struct Commit {
  std::uint32_t sequence;
  std::uint32_t size;

  static Commit of(std::uint64_t word) noexcept {
    return {static_cast<std::uint32_t>(word >> 32), static_cast<std::uint32_t>(word)};
  }
  [[nodiscard]] std::uint64_t word() const noexcept { return std::uint64_t{sequence} << 32 | size; }
};

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

/// The library maps queues with code of its own (segment.hpp), which must not throw and must make no page real. The registry
/// needs neither.
boost::interprocess::mapped_region map(int segment) {
  namespace bi = boost::interprocess;
  try {
    bi::mapped_region region(MappableFd(segment), bi::read_write, 0, k_registry_bytes);
    if (::madvise(region.get_address(), region.get_size(), MADV_DONTFORK) != 0) {
      throw os::system_failure(std::string(k_keep_registry) + ": keep from forked children");
    }
    return region;
  } catch (const bi::interprocess_exception& error) {
    throw os::system_failure(std::string(k_keep_registry) + ": map it", error.get_native_error());
  }
}

}  // namespace

SavedRecords::SavedRecords()
    : segment_(os::make_segment("beltway:registry", k_registry_bytes, k_keep_registry)), mapping_(map(segment_.get())) {
  auto* const words = reinterpret_cast<detail::Word*>(data());
  words[1].store_relaxed(k_registry_layout);
  words[0].store_release(k_registry_magic);
}

SavedRecords::SavedRecords(os::Fd segment) : segment_(std::move(segment)) {
  os::check_segment(segment_.get(), k_registry_bytes, k_keep_registry);
  mapping_ = map(segment_.get());
  const auto* const words = reinterpret_cast<const detail::Word*>(data());
  const std::uint64_t layout = words[1].load_relaxed();
  if (words[0].load_acquire() != k_registry_magic || layout != k_registry_layout) {
    throw Error(Errc::incompatible, std::string(k_keep_registry) + ": the daemon before this one kept layout " +
                                        std::to_string(layout) + ", this one reads " +
                                        std::to_string(k_registry_layout));
  }
}

std::uint64_t SavedRecords::count_start() noexcept {
  return reinterpret_cast<detail::Word*>(data())[k_starts_word].fetch_add(1);
}

void SavedRecords::clear_starts() noexcept { reinterpret_cast<detail::Word*>(data())[k_starts_word].store_release(0); }

detail::Word& SavedRecords::commit_word(unsigned place) const noexcept {
  return *reinterpret_cast<detail::Word*>(data() + k_places_offset + place * k_place_bytes);
}

char* SavedRecords::copy(unsigned place, std::uint32_t sequence) const noexcept {
  auto* const base = data() + k_places_offset + place * k_place_bytes + 4096;
  return reinterpret_cast<char*>(base + (sequence & 1U) * k_max_record_bytes);
}

void SavedRecords::write(unsigned place, std::string_view text) {
  if (text.size() > k_max_record_bytes) {
    throw Error(Errc::system, std::string(k_keep_registry) + ": a record of " + std::to_string(text.size()) + " bytes");
  }
  detail::Word& word = commit_word(place);
  std::uint32_t sequence = Commit::of(word.load_relaxed()).sequence + 1;
  if (sequence == 0) sequence = 2;  // 0 says empty; the parity goes on
  std::memcpy(copy(place, sequence), text.data(), text.size());
  // Pairs with the acquire in read(), in the next daemon: a reader of the new word sees the new copy.
  word.store_release(Commit{sequence, static_cast<std::uint32_t>(text.size())}.word());
}

void SavedRecords::clear(unsigned place) noexcept { commit_word(place).store_release(0); }

std::vector<unsigned> SavedRecords::places() const {
  std::vector<unsigned> used;
  for (unsigned place = 0; place < k_max_places; ++place) {
    std::uint64_t word = 0;
    const auto at = static_cast<off_t>(k_places_offset + place * k_place_bytes);
    if (::pread(segment_.get(), &word, sizeof word, at) == sizeof word && word != 0) used.push_back(place);
  }
  return used;
}

std::optional<std::string> SavedRecords::read(unsigned place) const {
  const Commit commit = Commit::of(commit_word(place).load_acquire());
  if (commit.sequence == 0 || commit.size > k_max_record_bytes) return std::nullopt;
  return std::string(copy(place, commit.sequence), commit.size);
}

}  // namespace beltway::daemon
