// One end of the socket: messages and descriptors as they should be, and everything else that may arrive.
#include "client/channel.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <array>
#include <cstring>
#include <functional>

#include "beltway/error.hpp"
#include "beltway/limits.hpp"
#include "support/child.hpp"

namespace beltway {

using namespace beltway::client;
using namespace beltway::os;

namespace {

using nlohmann::json;

struct Pair {
  Channel near;
  Channel far;
};

Pair make_pair() {
  std::array<int, 2> ends{};
  EXPECT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data()), 0);
  return {Channel(Fd(ends[0])), Channel(Fd(ends[1]))};
}

/// Sends bytes and descriptors as they are, whatever the protocol says.
void send_raw(const Channel& channel, const std::string& text, const std::vector<int>& descriptors = {}) {
  iovec part{const_cast<char*>(text.data()), text.size()};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  std::vector<char> control(CMSG_SPACE(descriptors.size() * sizeof(int)));
  if (!descriptors.empty()) {
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(descriptors.size() * sizeof(int));
    std::memcpy(CMSG_DATA(header), descriptors.data(), descriptors.size() * sizeof(int));
  }
  ASSERT_GE(::sendmsg(channel.descriptor(), &message, MSG_NOSIGNAL), 0);
}

/// What receiving throws; Errc{} if nothing.
Errc receive_error(Channel& channel, std::string* what = nullptr) {
  Packet packet;
  try {
    static_cast<void>(channel.try_receive(packet));
  } catch (const Error& error) {
    if (what != nullptr) *what = error.what();
    return error.reason();
  }
  return Errc{};
}

TEST(Channel, a_channel_brings_a_message_and_its_descriptors_close_on_exec) {
  Pair pair = make_pair();
  std::array<int, 2> pipe{};
  ASSERT_EQ(::pipe(pipe.data()), 0);
  const Fd reader(pipe[0]);
  Fd writer(pipe[1]);
  ASSERT_EQ(pair.near.try_send({{"op", "test"}}, std::array{writer.get()}), ChannelStatus::ok);
  writer.reset();
  Packet packet;
  ASSERT_EQ(pair.far.try_receive(packet), ChannelStatus::ok);
  EXPECT_EQ(packet.body["op"], "test");
  ASSERT_EQ(packet.descriptors.size(), 1U);
  EXPECT_NE(::fcntl(packet.descriptors[0].get(), F_GETFD) & FD_CLOEXEC, 0);
  ASSERT_EQ(::write(packet.descriptors[0].get(), "x", 1), 1);
  char byte = 0;
  EXPECT_EQ(::read(reader.get(), &byte, 1), 1);
  EXPECT_EQ(byte, 'x');
}

TEST(Channel, a_channel_carries_as_many_descriptors_as_the_kernel_lets_it_and_no_more) {
  Pair pair = make_pair();
  const Fd null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  const std::vector<int> most(k_max_descriptors, null.get());
  ASSERT_EQ(pair.near.try_send(json::object(), most), ChannelStatus::ok);
  Packet packet;
  ASSERT_EQ(pair.far.try_receive(packet), ChannelStatus::ok);
  EXPECT_EQ(packet.descriptors.size(), k_max_descriptors);
  const std::vector<int> more(k_max_descriptors + 1, null.get());
  EXPECT_THROW(static_cast<void>(pair.near.try_send(json::object(), more)), Error);
}

TEST(Channel, a_channel_tells_an_empty_socket_from_a_peer_that_has_gone) {
  Pair pair = make_pair();
  Packet packet;
  EXPECT_EQ(pair.near.try_receive(packet), ChannelStatus::would_block);
  pair.far.close();
  EXPECT_EQ(pair.near.try_receive(packet), ChannelStatus::closed);
  EXPECT_EQ(pair.near.try_send(json::object()), ChannelStatus::closed);
}

TEST(Channel, a_channel_reads_the_last_message_of_a_peer_that_did_not_read) {
  Pair pair = make_pair();
  ASSERT_EQ(pair.near.try_send({{"op", "unread"}}), ChannelStatus::ok);
  ASSERT_EQ(pair.far.try_send({{"error", "no"}}), ChannelStatus::ok);
  pair.far.close();
  Packet packet;
  ASSERT_EQ(pair.near.try_receive(packet), ChannelStatus::ok);
  EXPECT_EQ(packet.body["error"], "no");
  EXPECT_EQ(pair.near.try_receive(packet), ChannelStatus::closed);
}

TEST(Channel, a_channel_gives_up_at_the_deadline) {
  Pair pair = make_pair();
  Packet packet;
  EXPECT_FALSE(pair.near.receive(packet, std::chrono::steady_clock::now() + std::chrono::milliseconds(5)));
  EXPECT_FALSE(pair.near.receive(packet, Deadline::min()));
  const json message{{"text", std::string(32 * 1024, 'x')}};
  while (pair.near.try_send(message) == ChannelStatus::ok) {
  }
  EXPECT_FALSE(pair.near.send(message, std::chrono::steady_clock::now() + std::chrono::milliseconds(5)));
}

TEST(Channel, a_channel_takes_and_sends_a_message_of_the_largest_size_and_refuses_a_larger_one) {
  Pair pair = make_pair();
  const std::string frame = json{{"text", ""}}.dump();
  const std::string longest(k_max_protocol_bytes - frame.size(), 'x');
  ASSERT_EQ(pair.near.try_send({{"text", longest}}), ChannelStatus::ok);
  Packet packet;
  ASSERT_EQ(pair.far.try_receive(packet), ChannelStatus::ok);
  EXPECT_EQ(packet.body["text"], longest);
  EXPECT_THROW(static_cast<void>(pair.near.try_send({{"text", longest + "x"}})), Error);
  send_raw(pair.near, json{{"text", longest + "x"}}.dump());
  std::string what;
  EXPECT_EQ(receive_error(pair.far, &what), Errc::protocol);
  EXPECT_NE(what.find(std::to_string(k_max_protocol_bytes)), std::string::npos) << what;
}

TEST(Channel, a_channel_refuses_text_that_is_not_one_json_object) {
  Pair pair = make_pair();
  for (const std::string text : {"garbage", "[1,2]", "{\"op\":", "{} {}", "\xff\xfe", "null", "{\"fds\":-1}",
                                 "{\"fds\":\"1\"}", "{\"fds\":1.5}"}) {
    send_raw(pair.near, text);
    EXPECT_EQ(receive_error(pair.far), Errc::protocol) << text;
  }
  send_raw(pair.near, std::string(k_max_protocol_bytes, '['));
  EXPECT_EQ(receive_error(pair.far), Errc::protocol);
}

TEST(Channel, a_channel_sends_text_that_is_not_utf_8_in_a_form_that_arrives) {
  Pair pair = make_pair();
  ASSERT_EQ(pair.near.try_send({{"text", "a\xff"}}), ChannelStatus::ok);
  Packet packet;
  EXPECT_EQ(pair.far.try_receive(packet), ChannelStatus::ok);
}

// The leak check behind every test sees whether refused descriptors were closed.
TEST(Channel, a_channel_refuses_another_number_of_descriptors_than_announced) {
  Pair pair = make_pair();
  const Fd null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  send_raw(pair.near, R"({"fds":2})", {null.get()});
  EXPECT_EQ(receive_error(pair.far), Errc::protocol);
  send_raw(pair.near, R"({})", {null.get(), null.get()});
  EXPECT_EQ(receive_error(pair.far), Errc::protocol);
  send_raw(pair.near, R"({"fds":1})");
  EXPECT_EQ(receive_error(pair.far), Errc::protocol);
}

TEST(Channel, a_channel_names_the_limit_of_open_files_when_descriptors_arrive_in_part) {
  Pair pair = make_pair();
  const Fd null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  ASSERT_EQ(pair.near.try_send(json::object(), std::vector<int>(50, null.get())), ChannelStatus::ok);
  const rlimit before = [] {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    return limit;
  }();
  const Fd highest(::dup(null.get()));
  const rlimit low{static_cast<rlim_t>(highest.get()) + 10, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &low), 0);
  std::string what;
  const Errc reason = receive_error(pair.far, &what);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_EQ(reason, Errc::limit_reached);
  EXPECT_NE(what.find("RLIMIT_NOFILE"), std::string::npos) << what;
}

}  // namespace
}  // namespace beltway
