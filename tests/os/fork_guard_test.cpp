// A handle knows whether it is in a forked child, of the first generation or a later one.
#include "beltway/detail/fork_guard.hpp"

#include <gtest/gtest.h>

#include "support/child.hpp"

namespace beltway {
namespace {

using test::Child;

TEST(ForkGuard, is_not_in_a_child_where_it_was_made) {
  const ForkGuard guard;
  EXPECT_FALSE(guard.in_child());
  EXPECT_FALSE(ForkGuard(guard).in_child());
}

TEST(ForkGuard, is_in_a_child_after_a_fork_and_the_parent_is_not) {
  const ForkGuard guard;
  EXPECT_TRUE(Child::fork([&] { return guard.in_child() ? 0 : 1; }).wait().ok());
  EXPECT_FALSE(guard.in_child());
}

TEST(ForkGuard, made_in_the_child_is_at_home_there_and_the_parent_s_stays_a_stranger) {
  const ForkGuard parents;
  EXPECT_TRUE(Child::fork([&] {
                const ForkGuard own;
                return !own.in_child() && parents.in_child() ? 0 : 1;
              })
                  .wait()
                  .ok());
}

TEST(ForkGuard, tells_grandchildren_from_children) {
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
