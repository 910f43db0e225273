// Two users at one daemon: rights are those of a file. Only root can become another user, so only root runs these.
//
// The other user names things from directories that are open already: the machine's root may be closed to it.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <filesystem>
#include <functional>

#include "beltway/beltway.hpp"
#include "support/child.hpp"
#include "support/daemon.hpp"
#include "support/raw_client.hpp"

namespace beltway {

using namespace beltway::os;

namespace {

using test::Child;
using test::connect;
using test::error_of;
using test::k_small;
using test::RawClient;
using test::TestDaemon;

class TwoUsers : public testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "only root can become another user";
    std::filesystem::permissions(daemon_.dir().path(), std::filesystem::perms{0755});
  }

  /// The reason of what `call` throws when user 65534 makes it; 0 for none.
  int as_nobody(const std::function<void(const Connection&)>& call) {
    return Child::fork([&] {
             if (::chdir(daemon_.dir().path().c_str()) != 0) return 90;
             if (::setgid(65534) != 0 || ::setuid(65534) != 0) return 91;
             const auto open = [&] { call(Connection::open({.socket = socket(), .start_daemon = false})); };
             return static_cast<int>(error_of(open).reason());
           })
        .wait()
        .code;
  }
  /// From the directory of the daemon.
  [[nodiscard]] std::filesystem::path socket() const { return daemon_.socket().filename(); }
  Queue declare(const std::string& name, std::uint32_t mode) {
    QueueOptions options = k_small;
    options.mode = mode;
    options.groups = {"g"};
    return connect(daemon_).declare(name, options);
  }

  TestDaemon daemon_;
};

constexpr int k_no_right = static_cast<int>(Errc::no_permission);

TEST_F(TwoUsers, two_users_get_nowhere_without_rights) {
  (void)declare("private", 0600);
  EXPECT_EQ(as_nobody([](const Connection& link) { (void)link.open_queue("private"); }), k_no_right);
  EXPECT_EQ(as_nobody([](const Connection& link) { (void)link.describe("private"); }), k_no_right);
  EXPECT_EQ(as_nobody([](const Connection& link) { (void)link.declare("private", k_small); }), k_no_right);
  EXPECT_EQ(as_nobody([](const Connection& link) { link.remove("private"); }), k_no_right);
  EXPECT_EQ(as_nobody([](const Connection& link) {
              if (!link.list().empty()) throw Error(Errc::misuse, "it is listed");
            }),
            0);
}

TEST_F(TwoUsers, two_users_read_only_queues_with_the_right_to_read) {
  (void)declare("readable", 0604);
  EXPECT_EQ(as_nobody([](const Connection& link) { (void)link.open_queue("readable").consumer(); }), 0);
  EXPECT_EQ(as_nobody([](const Connection& link) { (void)link.open_queue("readable").snapshot(); }), 0);
  EXPECT_EQ(as_nobody([](const Connection& link) { link.open_queue("readable").add_group("mine"); }), 0);
  EXPECT_EQ(as_nobody([](const Connection& link) { (void)link.open_queue("readable").producer(); }), k_no_right);
  EXPECT_EQ(as_nobody([](const Connection& link) { link.remove("readable"); }), k_no_right);
  EXPECT_EQ(as_nobody([](const Connection& link) { link.open_queue("readable").remove_group("g"); }), k_no_right);
  EXPECT_EQ(as_nobody([](const Connection& link) { (void)link.open_queue("readable").purge("g"); }), k_no_right);
  EXPECT_EQ(as_nobody([](const Connection& link) { link.open_queue("readable").pause_group("g"); }), k_no_right);
  EXPECT_EQ(as_nobody([](const Connection& link) { link.open_queue("readable").resume_group("g"); }), k_no_right);
  EXPECT_EQ(
      as_nobody([](const Connection& link) { (void)link.open_queue("readable").reset_group("g", Start::latest); }),
      k_no_right);
}

TEST_F(TwoUsers, two_users_may_each_pause_and_reset_groups_of_their_own_queues_and_root_those_of_all) {
  EXPECT_EQ(as_nobody([](const Connection& link) {
              QueueOptions options = k_small;
              options.groups = {"g"};
              const Queue own = link.declare("theirs", options);
              own.pause_group("g");
              own.resume_group("g");
              (void)own.reset_group("g", Start::oldest);
            }),
            0);
  const Queue theirs = connect(daemon_).open_queue("theirs");
  EXPECT_NO_THROW(theirs.pause_group("g"));
  EXPECT_NO_THROW(theirs.resume_group("g"));
  EXPECT_NO_THROW((void)theirs.reset_group("g", Start::latest));
}

TEST_F(TwoUsers, two_users_write_only_queues_with_the_right_to_write) {
  (void)declare("writable", 0602);
  EXPECT_EQ(as_nobody([](const Connection& link) { (void)link.open_queue("writable").producer(); }), 0);
  EXPECT_EQ(as_nobody([](const Connection& link) { (void)link.open_queue("writable").consumer(); }), k_no_right);
  EXPECT_EQ(as_nobody([](const Connection& link) { (void)link.open_queue("writable").snapshot(); }), k_no_right);
  EXPECT_EQ(as_nobody([](const Connection& link) { (void)link.open_queue("writable").peek(1); }), k_no_right);
}

TEST_F(TwoUsers, two_users_cannot_open_the_memory_of_a_readable_queue_for_writing) {
  const Queue queue = declare("readable", 0604);
  const Fd proc(::open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC));
  const auto may_write = [&](const Fd& descriptor) {
    const std::string path = "self/fd/" + std::to_string(descriptor.get());
    return static_cast<bool>(Fd(::openat(proc.get(), path.c_str(), O_RDWR | O_CLOEXEC)));
  };
  EXPECT_EQ(as_nobody([&](const Connection&) {
              ::prctl(PR_SET_DUMPABLE, 1);  // else nothing of our own in /proc would open
              const Fd own(::memfd_create("own", MFD_CLOEXEC));
              if (!may_write(own)) throw Error(Errc::misuse, "nothing can be opened");
              RawClient client(socket());
              client.say_hello();
              client.say({{"op", "attach"}, {"n", 1}, {"queue", queue.id()}, {"role", "consumer"}});
              (void)client.hear();
              if (may_write(client.descriptors.at(1))) throw Error(Errc::misuse, "it opens");
            }),
            0);
}

TEST_F(TwoUsers, two_users_have_quotas_and_queues_of_their_own) {
  EXPECT_EQ(as_nobody([](const Connection& link) {
              if (link.declare("theirs", k_small).describe().owner_uid != 65534) throw Error(Errc::misuse, "owner");
            }),
            0);
  EXPECT_NO_THROW(connect(daemon_).remove("theirs")) << "root may";
}

}  // namespace
}  // namespace beltway
