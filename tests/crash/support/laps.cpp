// See laps.hpp.
#include "laps.hpp"

#include <deque>
#include <map>

#include "ring/claim.hpp"
#include "ring/groups.hpp"
#include "ring/lane.hpp"
#include "ring/readers/lossy_reader.hpp"
#include "ring/readers/named_reader.hpp"
#include "ring/readers/private_reader.hpp"

namespace beltway::crash {

using namespace beltway::detail;
using namespace beltway::ring;

namespace {

/// A producer without the waiting: its claims and its lane.
struct Publisher {
  Publisher(const QueueMemory& memory, unsigned owner) : claimer(memory, owner), lane(claimer) {}

  bool publish(std::uint64_t id, bool by_lane) {
    Lane::Loan lent;
    if (by_lane) {
      lent = lane.lend(k_lane_size);
      if (lent.data == nullptr) return false;
      fill_message(lent.data, id, k_lane_size);
    }
    if (claimer.has_news()) claimer.accept_notice();
    Claim claim = Claim::full;
    if (by_lane) {
      claim = detail::try_put(claimer, k_lane_size, SlotMeta{0, k_flag_lane}.word(), [&](std::byte* place) noexcept {
        reinterpret_cast<Word*>(place)->store_relaxed(lane.commit(lent.record, claimer.last()).word());
      });
    } else {
      claim = detail::try_put(claimer, k_inline_size, 0,
                              [&](std::byte* place) noexcept { fill_message(place, id, k_inline_size); });
    }
    if (claim != Claim::ok) return false;
    published = claimer.last();
    return true;
  }

  Claimer claimer;
  Lane lane;
  Position published = 0;
};

/// Who reads what is published: as many of the two groups as there are.
class Audience {
 public:
  explicit Audience(World& world)
      : world_(world),
        private_(world.memory(), private_group(k_private), world.journal().private_read),
        named_(world.memory(), k_group,
               GroupStateWord::of(world.memory().group(k_group).state.load_acquire()).incarnation, k_named_new, false),
        lossy_(world.memory(), private_group(k_joiner), load_tail(world.memory())) {
    for (std::uint64_t id = 0; id < k_messages; ++id) {
      const Entry& entry = world.journal().messages[id];
      if (entry.read != 0 || entry.leased != 0) note(id, entry.position);
    }
    has_private_ = phase(private_group(k_private)) == GroupPhase::active;
    has_named_ = phase(k_group) == GroupPhase::active;
  }

  /// Message `id` is what everybody must find at `position`.
  void note(std::uint64_t id, Position position) { known_[position] = id; }

  void expect(std::uint64_t id) {
    SlotView view;
    if (has_private_) {
      const ReadResult result = private_.next(view);
      if (result != ReadResult::message || read_message(view) != id) fail(world_, "afterwards: private");
      private_.release(view.position);
    }
    if (has_named_) {
      std::size_t leased = 0;
      std::uint64_t corrupt = 0;
      const ReadResult result = named_.lease(&view, 1, leased, corrupt);
      if (result != ReadResult::message || read_message(view) != id) fail(world_, "afterwards: named");
      if (view.tries != 0) fail(world_, "afterwards: a new message is marked as tried before");
      if (!named_.ack(view.position, view.tries)) fail(world_, "afterwards: ack");
      named_.after_ack(view.position);
    }
    lossy_.begin();
    if (lossy_.next(view) != ReadResult::message || read_message(copied(lossy_, view)) != id) {
      fail(world_, "afterwards: lossy");
    }
  }

  /// Newcomers see the last messages, whole, and none of another lap.
  void newcomers() {
    const QueueMemory& memory = world_.memory();
    const unsigned group = private_group(k_joiner);
    const Position floor = join(memory, group, GroupKind::private_reliable, Start::oldest);
    PrivateReader reader(memory, group, floor);
    SlotView view;
    while (reader.next(view) == ReadResult::message) {
      if (!is_known(view)) fail(world_, "a newcomer got a wrong message");
      reader.release(view.position);
    }
    if (reader.read() != load_tail(memory)) fail(world_, "a newcomer got stuck");
    free_group(memory, group);
    LossyReader lossy(memory, group, wrap(load_tail(memory) - memory.geometry.slots));
    for (lossy.begin(); lossy.next(view) == ReadResult::message; lossy.begin()) {
      if (!is_known(copied(lossy, view))) fail(world_, "a lossy newcomer got a wrong message");
    }
    if (lossy.read() != load_tail(memory)) fail(world_, "a lossy newcomer got stuck");
  }

 private:
  /// Whole, and what was published at its position. What nobody read (a ring without groups) is known to nobody.
  [[nodiscard]] bool is_known(const SlotView& view) const {
    const std::uint64_t id = read_message(view);
    const auto found = known_.find(view.position);
    return id != 0 && (found == known_.end() || found->second == id);
  }
  /// The view of the first copy.
  [[nodiscard]] static SlotView copied(const LossyReader& reader, SlotView view) {
    view.data = reader.data(0) + view.properties_bytes;
    return view;
  }
  [[nodiscard]] GroupPhase phase(unsigned group) const {
    return GroupStateWord::of(world_.memory().group(group).state.load_acquire()).phase;
  }

  World& world_;
  PrivateReader private_;
  NamedReader named_;
  LossyReader lossy_;
  std::map<Position, std::uint64_t> known_;
  bool has_private_ = false;
  bool has_named_ = false;
};

}  // namespace

void check_laps(World& world, const Dead& dead) {
  const QueueMemory& memory = world.memory();
  std::deque<Publisher> publishers;
  for (const unsigned owner : dead.owners) {
    if (owner < k_first_consumer) publishers.emplace_back(memory, owner);
  }
  if (k_producer_new < memory.geometry.max_producers) publishers.emplace_back(memory, k_producer_new);
  if (publishers.empty()) publishers.emplace_back(memory, k_producer_a);
  Audience audience(world);
  const std::uint64_t laps = 3ULL * memory.geometry.slots + 2;
  for (std::uint64_t i = 0; i < laps; ++i) {
    const std::uint64_t id = first_id(k_producer_new) + i % 16;
    // First by the lane of the one that follows a dead one: what still lives there must survive.
    const bool by_lane = memory.geometry.lane_bytes != 0 && i % 3 != 2;
    if (!publishers[i % publishers.size()].publish(id, by_lane))
      fail(world, "not usable: publish %d", static_cast<int>(i));
    audience.note(id, publishers[i % publishers.size()].published);
    if (i <= memory.geometry.slots) audience.newcomers();
    audience.expect(id);
  }
}

}  // namespace beltway::crash
