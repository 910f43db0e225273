// A handle knows whether it is in a forked child, of the first generation or a later one.
#include "beltway/detail/fork_guard.hpp"

#include <gtest/gtest.h>

#include "support/child.hpp"

namespace beltway {

using namespace beltway::detail;

namespace {

using test::Child;

TEST(ForkGuard, a_fork_guard_made_in_a_child_is_not_in_child_there) {
  const ForkGuard guard;
  EXPECT_FALSE(guard.in_child());
  EXPECT_FALSE(ForkGuard(guard).in_child());
}

TEST(ForkGuard, a_fork_guard_is_in_child_after_a_fork_only_in_the_child) {
  const ForkGuard guard;
  EXPECT_TRUE(Child::fork([&] { return guard.in_child() ? 0 : 1; }).wait().ok());
  EXPECT_FALSE(guard.in_child());
}

TEST(ForkGuard, a_fork_guard_made_in_the_child_belongs_to_it_and_that_of_the_parent_does_not) {
  const ForkGuard parents;
  EXPECT_TRUE(Child::fork([&] {
                const ForkGuard own;
                return !own.in_child() && parents.in_child() ? 0 : 1;
              })
                  .wait()
                  .ok());
}

TEST(ForkGuard, a_fork_guard_of_a_child_is_in_child_in_a_grandchild) {
  const ForkGuard parents;
  EXPECT_TRUE(Child::fork([&] {
                const ForkGuard childs;
                return Child::fork([&] {
                         const ForkGuard grandchilds;
                         return parents.in_child() && childs.in_child() && !grandchilds.in_child() ? 0 : 1;
                       })
                    .wait()
                    .code;
              })
                  .wait()
                  .ok());
}

}  // namespace
}  // namespace beltway
