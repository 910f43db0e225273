// Users of tests that run at the same time.
#include "own_user.hpp"

#include <gtest/gtest.h>
#include <pwd.h>

#include <filesystem>

namespace beltway::test {
namespace {

TEST(OwnUser, two_objects_have_different_users) {
  const OwnUser first;
  const OwnUser second;
  EXPECT_NE(first.id(), second.id());
  EXPECT_EQ(::getpwuid(first.id()), nullptr);
}

TEST(OwnUser, the_destructor_removes_the_directories_of_the_user) {
  std::filesystem::path directory;
  {
    const OwnUser user;
    directory = user.in_tmp();
    std::filesystem::create_directory(directory);
  }
  EXPECT_FALSE(std::filesystem::exists(directory));
}

}  // namespace
}  // namespace beltway::test
