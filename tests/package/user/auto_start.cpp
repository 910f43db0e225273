// Starts the daemon as any program does, and prints its process and program file.
#include <cstdio>
#include <filesystem>
#include <string>

#include "beltway/beltway.hpp"

int main() {
  const int pid = beltway::Connection::open().ping().pid;
  const std::string link = "/proc/" + std::to_string(pid) + "/exe";
  std::printf("%d %s\n", pid, std::filesystem::read_symlink(link).c_str());
  return 0;
}
