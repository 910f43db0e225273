// See web_access.hpp.
#include "tool/web/web_access.hpp"

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <utility>

#include "tool/process/exit_code.hpp"

namespace beltway::tool {

namespace {

constexpr std::size_t k_secret_bytes = 32;
constexpr std::string_view k_token_prefix = "/?token=";
constexpr std::string_view k_bearer = "Bearer ";

std::string random_secret() {
  std::array<unsigned char, k_secret_bytes> bytes{};
  if (getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size()))
    throw Failure(ExitCode::failed, std::string("make a token: ") + std::strerror(errno));
  constexpr std::string_view k_digits = "0123456789abcdef";
  std::string text;
  for (const unsigned char byte : bytes) {
    text += k_digits[byte >> 4U];
    text += k_digits[byte & 0xfU];
  }
  return text;
}

bool is_secret(std::string_view text) {
  return text.size() == 2 * k_secret_bytes && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

/// A descriptor that is closed at the end.
struct OpenFile {
  explicit OpenFile(int opened) noexcept : number(opened) {}
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  ~OpenFile() {
    if (number >= 0) close(number);
  }
  int number;
};

[[noreturn]] void refuse_file(const std::string& path, const std::string& why) {
  throw Failure(ExitCode::failed, "--token-file " + path + ": " + why);
}

WebSecrets read_secrets(const OpenFile& file, const std::string& path) {
  struct stat status{};
  if (fstat(file.number, &status) != 0) refuse_file(path, std::strerror(errno));
  if (!S_ISREG(status.st_mode)) refuse_file(path, "it is no regular file");
  if (status.st_uid != geteuid()) refuse_file(path, "it belongs to another user");
  if ((status.st_mode & 077U) != 0) refuse_file(path, "others may read it: chmod 600 " + path);
  std::array<char, 4 * k_secret_bytes + 8> content{};
  const ssize_t length = read(file.number, content.data(), content.size());
  const std::string_view text(content.data(), length < 0 ? 0 : static_cast<std::size_t>(length));
  const std::size_t line = text.find('\n');
  const std::size_t end = line == std::string_view::npos ? line : text.find('\n', line + 1);
  if (end == std::string_view::npos || !is_secret(text.substr(0, line)) ||
      !is_secret(text.substr(line + 1, end - line - 1)))
    refuse_file(path, "it holds no token: remove it, and a new one is made");
  return {.token = std::string(text.substr(0, line)), .cookie = std::string(text.substr(line + 1, end - line - 1))};
}

/// The value of the cookie; empty: there is none.
std::string_view cookie_value(std::string_view cookies, std::string_view name) noexcept {
  while (!cookies.empty()) {
    const std::size_t end = std::min(cookies.find(';'), cookies.size());
    std::string_view one = cookies.substr(0, end);
    cookies.remove_prefix(std::min(end + 1, cookies.size()));
    one.remove_prefix(std::min(one.find_first_not_of(' '), one.size()));
    if (one.size() > name.size() && one.starts_with(name) && one[name.size()] == '=')
      return one.substr(name.size() + 1);
  }
  return {};
}

bool is_own_origin(const RequestHead& head) noexcept {
  constexpr std::string_view k_scheme = "http://";
  return head.origin.starts_with(k_scheme) && head.origin.substr(k_scheme.size()) == head.host;
}

}  // namespace

WebSecrets make_web_secrets() { return {.token = random_secret(), .cookie = random_secret()}; }

WebSecrets web_secrets_of_file(const std::string& path) {
  const OpenFile made(open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (made.number >= 0) {
    WebSecrets secrets = make_web_secrets();
    const std::string text = secrets.token + "\n" + secrets.cookie + "\n";
    if (write(made.number, text.data(), text.size()) == static_cast<ssize_t>(text.size())) return secrets;
    const std::string why = std::strerror(errno);
    unlink(path.c_str());
    refuse_file(path, why);
  }
  if (errno != EEXIST) refuse_file(path, std::strerror(errno));
  const OpenFile file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (file.number < 0) refuse_file(path, std::strerror(errno));
  return read_secrets(file, path);
}

bool equal_in_constant_time(std::string_view one, std::string_view other) noexcept {
  if (one.size() != other.size()) return false;
  unsigned char differences = 0;
  for (std::size_t i = 0; i < one.size(); ++i) {
    const unsigned char difference = static_cast<unsigned char>(one[i] ^ other[i]);
    differences = static_cast<unsigned char>(differences | difference);
  }
  return differences == 0;
}

bool is_loopback_host(std::string_view host, std::optional<std::uint16_t> port) noexcept {
  const auto is_name = [](std::string_view name) {
    constexpr std::string_view k_localhost = "localhost";
    if (name == "127.0.0.1" || name == "[::1]") return true;
    return std::ranges::equal(name, k_localhost, {}, [](char c) { return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c; });
  };
  const std::size_t colon = host.starts_with('[') ? host.find("]:") + 1 : host.find(':');
  if (colon == std::string_view::npos || colon == 0) return (!port || *port == 80) && is_name(host);
  std::uint16_t said = 0;
  const char* const end = host.data() + host.size();
  const auto [stop, error] = std::from_chars(host.data() + colon + 1, end, said);
  if (error != std::errc() || stop != end) return false;
  return is_name(host.substr(0, colon)) && (!port || said == *port);
}

WebAccess::WebAccess(WebSecrets secrets, std::optional<std::uint16_t> port)
    : secrets_(std::move(secrets)), port_(port), cookie_name_("beltway_" + (port ? std::to_string(*port) : "unix")) {}

Admission WebAccess::admit(const RequestHead& head) const noexcept {
  if (!is_loopback_host(head.host, port_)) return Admission::wrong_host;
  if (!head.origin.empty() && !is_own_origin(head)) return Admission::foreign;
  if (!head.fetch_site.empty() && head.fetch_site != "same-origin" && head.fetch_site != "none")
    return Admission::foreign;
  std::string_view shown = head.token;
  if (shown.empty() && head.authorization.starts_with(k_bearer)) shown = head.authorization.substr(k_bearer.size());
  if (secrets_.token.empty()) return Admission::nobody;  // not set up yet
  if (equal_in_constant_time(shown, secrets_.token)) return Admission::full;
  if (head.method == "GET" && head.target.starts_with(k_token_prefix)) {
    const std::string_view in_url = head.target.substr(k_token_prefix.size());
    if (equal_in_constant_time(in_url, secrets_.token)) return Admission::by_url;
  }
  if (equal_in_constant_time(cookie_value(head.cookies, cookie_name_), secrets_.cookie)) return Admission::page_only;
  return Admission::nobody;
}

bool WebAccess::may_act(const RequestHead& head) noexcept { return is_own_origin(head); }

std::string WebAccess::set_cookie() const {
  return cookie_name_ + "=" + secrets_.cookie + "; Path=/; HttpOnly; SameSite=Strict";
}

}  // namespace beltway::tool
