// A running `beltway web` of this build, as a user starts it.
// Thread safety: one thread at a time.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "child.hpp"
#include "daemon.hpp"
#include "http_client.hpp"

namespace beltway::test {

class WebProgram {
 public:
  /// Returns when it listens. Throws std::runtime_error with its output.
  explicit WebProgram(const TestDaemon& daemon, const std::vector<std::string>& arguments = {});

  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
  [[nodiscard]] const std::string& token() const noexcept { return token_; }
  [[nodiscard]] std::string host() const { return "127.0.0.1:" + std::to_string(port_); }
  [[nodiscard]] Child& process() noexcept { return process_; }

  /// "GET /x HTTP/1.1" with Host, the token and these headers, each with its line end.
  [[nodiscard]] std::string request(const std::string& method, const std::string& target,
                                    const std::string& headers = {}, const std::string& body = {}) const;
  /// One request on a connection of its own.
  [[nodiscard]] HttpAnswer get(const std::string& target, const std::string& headers = {}) const;
  /// As the page acts: with our origin.
  [[nodiscard]] HttpAnswer post(const std::string& target, const nlohmann::json& body) const;

 private:
  TempDir dir_;
  Child process_;
  std::uint16_t port_ = 0;
  std::string token_;
};

}  // namespace beltway::test
