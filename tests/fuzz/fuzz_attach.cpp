// A client's attach, whole: its session, the daemon's answer and descriptors, the checks of the header and the geometry, the
// mapping, and a few calls of what came of it. The input says what a neighbour has written over the control segment before,
// header included, what the answer says wrongly, and which of its descriptors are others.
//
// The daemon is its own code behind a socket, in a thread: it moves only while a request waits for it. The sanitizers see what
// leaves its memory, -timeout what does not come back; anything but a result or an Error is a bug.
#include <fuzzer/FuzzedDataProvider.h>
#include <spdlog/spdlog.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "beltway/version.hpp"
#include "client/attach.hpp"
#include "client/inspect.hpp"
#include "client/socket_path.hpp"
#include "hostile/honest.hpp"
#include "queues/registry.hpp"
#include "service/requests.hpp"
#include "wire/validate.hpp"

namespace {

using namespace beltway;
using namespace beltway::client;
using namespace beltway::endpoint;
using namespace beltway::os;
using namespace beltway::ring;
using namespace beltway::wire;
using wire::Role;
using namespace std::chrono_literals;

constexpr std::uint64_t k_session = 7;
constexpr int k_most_steps = 12;

/// What the daemon is to do; changed only between two requests.
struct Plan {
  daemon::Registry* registry = nullptr;
  FuzzedDataProvider* input = nullptr;
  std::vector<wire::EndpointName> endpoints = {};
};
Plan plan;

// -- what goes wrong ----------------------------------------------------------------------------------------------

/// Words of the control segment, most of them in the header. Attached ones must live with it, too.
void scribble(int control, const Geometry& geometry, FuzzedDataProvider& input) {
  const std::uint64_t bytes = geometry.control_bytes();
  void* const memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, control, 0);
  if (memory == MAP_FAILED) return;  // an inspector's is read-only
  auto* const words = static_cast<std::uint32_t*>(memory);
  for (auto left = input.ConsumeIntegralInRange<unsigned>(1, 4); left != 0; --left) {
    const std::uint64_t end = input.ConsumeBool() ? sizeof(Header) : bytes;
    std::uint32_t& word = words[input.ConsumeIntegralInRange<std::uint64_t>(0, end / 4 - 1)];
    switch (input.ConsumeIntegralInRange(0, 3)) {
      case 0: word ^= 1U << input.ConsumeIntegralInRange(0, 31); break;
      case 1: word += input.ConsumeIntegralInRange<std::uint32_t>(0, 8) - 4; break;
      default: word = input.ConsumeIntegral<std::uint32_t>(); break;
    }
  }
  ::munmap(memory, bytes);
}

void change_a_field(nlohmann::json& body, FuzzedDataProvider& input) {
  constexpr std::array k_fields{"endpoint", "incarnation", "bells",     "group", "group_incarnation",
                                "kind",     "start",       "evictable", "fds",   "error"};
  const char* const field = input.PickValueInArray(k_fields);
  switch (input.ConsumeIntegralInRange(0, 5)) {
    case 0: body.erase(field); break;
    case 1: body[field] = input.ConsumeIntegral<std::uint64_t>(); break;
    case 2: body[field] = input.ConsumeIntegralInRange<unsigned>(0, 80); break;
    case 3: body[field] = input.ConsumeIntegral<std::int64_t>(); break;
    case 4: body[field] = input.PickValueInArray({"named", "private", "lossy", "nobody"}); break;
    default: body[field] = nlohmann::json::parse(input.ConsumeRandomLengthString(40), nullptr, false); break;
  }
  if (body[field].is_discarded()) body.erase(field);
}

/// A descriptor that is not what was promised, or none.
Fd another(const Geometry& geometry, FuzzedDataProvider& input) {
  const std::array sizes{geometry.control_bytes(), geometry.ring_bytes(), geometry.heap_bytes(),
                         input.ConsumeIntegralInRange<std::uint64_t>(0, 1U << 20)};
  const std::uint64_t bytes = input.PickValueInArray(sizes);
  if (input.ConsumeBool()) return make_segment("fuzz", bytes, "fuzz");
  Fd unsealed(::memfd_create("fuzz", MFD_ALLOW_SEALING | MFD_CLOEXEC));
  if (::ftruncate(unsealed.get(), static_cast<off_t>(bytes)) != 0) std::abort();
  return unsealed;
}

void change_descriptors(std::vector<int>& descriptors, std::vector<Fd>& owned, const Geometry& geometry,
                        FuzzedDataProvider& input) {
  if (descriptors.empty()) return;
  // The segments more often than the bells behind them.
  const std::size_t end = input.ConsumeBool() ? descriptors.size() : std::min<std::size_t>(descriptors.size(), 3);
  const auto at = input.ConsumeIntegralInRange<std::size_t>(0, end - 1);
  switch (input.ConsumeIntegralInRange(0, 3)) {
    case 0: descriptors.erase(descriptors.begin() + static_cast<std::ptrdiff_t>(at)); break;
    case 1: std::swap(descriptors[0], descriptors[at]); break;
    case 2: descriptors.push_back(descriptors[at]); break;
    default:
      owned.push_back(another(geometry, input));
      descriptors[at] = owned.back().get();
      break;
  }
}

void spoil(daemon::Reply& reply) {
  FuzzedDataProvider& input = *plan.input;
  const Geometry geometry = geometry_of(plan.registry->queues().begin()->second->record().options);
  if (!reply.descriptors.empty() && input.ConsumeBool()) scribble(reply.descriptors[0], geometry, input);
  switch (input.ConsumeIntegralInRange(0, 5)) {
    case 0: change_a_field(reply.body, input); break;
    case 1: change_descriptors(reply.descriptors, reply.owned, geometry, input); break;
    default: break;
  }
}

// -- the daemon ---------------------------------------------------------------------------------------------------

void serve(Channel channel) {
  const daemon::Peer peer{.pid = ::getpid(), .uid = 1001, .gid = 1001};
  for (;;) {
    Packet packet;
    if (!channel.receive(packet, Deadline::max())) return;
    const nlohmann::json& request = packet.body;
    std::optional<daemon::Reply> reply;
    if (request["op"] == "hello") {
      reply = daemon::Reply{{{"protocol", k_protocol_version}, {"n", request["n"]}}, {}, {}};
    } else {
      daemon::Caller caller{*plan.registry, peer, k_session, "/nowhere", true};
      reply = daemon::answer(caller, request);
      plan.endpoints.insert(plan.endpoints.end(), caller.endpoints.begin(), caller.endpoints.end());
    }
    if (!reply) continue;
    if (request["op"] == "attach" && plan.input != nullptr) spoil(*reply);
    if (channel.try_send(std::move(reply->body), reply->descriptors) != ChannelStatus::ok) return;
  }
}

/// Where the daemon listens, and the client's session with it, which connects anew when an answer was none.
class ListenSocket {
 public:
  ListenSocket() {
    std::string name = "/tmp/beltway-fuzz-XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) std::abort();
    folder_ = name;
    const std::filesystem::path socket = folder_ / "socket";
    const sockaddr_un address = socket_address(socket);
    listener_ = Fd(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
    if (::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        ::listen(listener_.get(), 8) != 0) {
      std::abort();
    }
    std::thread([listener = listener_.get()] {
      for (;;) {
        Fd accepted(::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
        if (accepted) serve(Channel(std::move(accepted)));
      }
    }).detach();  // ends with the process
    const ConnectionOptions options{.socket = socket, .start_daemon = false};
    session_ = std::make_shared<client::Session>(options);
  }
  ListenSocket(const ListenSocket&) = delete;
  ListenSocket& operator=(const ListenSocket&) = delete;
  ~ListenSocket() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
    static_cast<void>(listener_.release());  // the thread waits there
  }
  [[nodiscard]] const std::shared_ptr<client::Session>& session() const noexcept { return session_; }

 private:
  std::filesystem::path folder_;
  Fd listener_;
  std::shared_ptr<client::Session> session_;
};

// -- the client ---------------------------------------------------------------------------------------------------

class Client {
 public:
  Client(const std::shared_ptr<client::Session>& session, client::QueueName queue, FuzzedDataProvider& input)
      : session_(session), queue_(std::move(queue)), input_(input) {}

  /// One call; errors are answers like others.
  void step() {
    try {
      switch (input_.ConsumeIntegralInRange(0, 5)) {
        case 0: attach_producer(); break;
        case 1:
        case 2: attach_consumer(); break;
        case 3: inspect(); break;
        case 4: drop_one(); break;
        default: use_one(); break;
      }
    } catch (const Error&) {
    }
  }

 private:
  Attachment attach(const wire::AttachRequest& request) {
    return client::attach_endpoint(session_, queue_, request, {.populate = input_.ConsumeBool()});
  }
  void attach_producer() {
    Attachment attachment = attach({.role = Role::producer});
    producers_.push_back(make_producer(std::move(attachment), {.wait = WaitStrategy::sleep}));
  }
  void attach_consumer() {
    ConsumerOptions options{.wait = WaitStrategy::sleep};
    if (input_.ConsumeBool()) options.group = "workers";
    options.lossy = options.group.empty() && input_.ConsumeBool();
    options.start = input_.ConsumeBool() ? Start::oldest : Start::latest;
    Attachment attachment = attach({.role = Role::consumer, .consumer = options});
    consumers_.push_back(make_consumer(std::move(attachment), options));
  }
  void inspect() {
    const client::Inspection inspection = client::attach_inspector(*session_, queue_);
    wire::Description description;
    description.info.options = test::hostile_options(queue_.geometry.max_producers);
    description.group_indexes = {0};
    static_cast<void>(client::take_snapshot(inspection.memory, description));
    static_cast<void>(client::copy_messages(inspection.memory, 100, 65536, std::nullopt));
  }
  void drop_one() {
    if (input_.ConsumeBool() && !producers_.empty()) {
      producers_.pop_back();
    } else if (!consumers_.empty()) {
      consumers_.pop_back();
    }
  }
  void use_one() {
    if (input_.ConsumeBool() && !producers_.empty()) {
      const std::vector<std::byte> data(input_.ConsumeBool() ? 24 : 700, std::byte{7});
      static_cast<void>(input_.ConsumeBool() ? producers_.back().try_publish(data)
                                             : producers_.back().publish_until(data, 1ms));
    } else if (!consumers_.empty()) {
      Consumer& consumer = consumers_.back();
      Result<Message> received = input_.ConsumeBool() ? consumer.try_receive() : consumer.receive(1ms);
      volatile std::byte kept{};
      if (received) {
        for (const std::byte each : received->bytes()) kept = each;
      }
      static_cast<void>(kept);
    }
  }

  const std::shared_ptr<client::Session>& session_;
  const client::QueueName queue_;
  FuzzedDataProvider& input_;
  std::vector<Producer> producers_;
  std::vector<Consumer> consumers_;
};

/// When the daemon has heard of all detaches, nobody may be left.
void expect_nobody_left(client::Session& session, daemon::Registry& registry) {
  plan.input = nullptr;
  static_cast<void>(session.request("flush", "ping", nlohmann::json::object()));
  registry.session_ended(k_session, std::exchange(plan.endpoints, {}));
  if (registry.reap_pending() != 0) std::abort();
  plan.registry = nullptr;
  registry.remove_all();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  spdlog::set_level(spdlog::level::off);
  static const ListenSocket listen_socket;
  daemon::DescriptorStore store;
  daemon::SavedQueues keep(store);
  daemon::Registry registry({}, keep);
  FuzzedDataProvider input(data, size);
  const QueueOptions options = test::hostile_options(input.ConsumeBool() ? 2 : 1);
  const daemon::Peer owner{.pid = ::getpid(), .uid = 1001, .gid = 1001};
  const daemon::Queue& queue = registry.declare(owner, "fuzzed", options).queue;
  plan = {&registry, &input};
  {
    Client client(listen_socket.session(), {"fuzzed", queue.record().id, geometry_of(options)}, input);
    for (int step = 0; step < k_most_steps && input.remaining_bytes() != 0; ++step) client.step();
  }
  expect_nobody_left(*listen_socket.session(), registry);
  return 0;
}
