// Who may ask `beltway web` what: the secrets, and the check that each request passes before anything else is read of it.
//
// Loopback is no border: every user of the machine reaches the port, and so does every page in the owner's browser. So
// - the token must be shown with each request for data and for each act, in a header that no other page can set;
// - the page itself, which holds no data, is also given for a cookie, since a browser sends no header of ours for it. A browser
//   sends that cookie to other ports of this address, too, maybe to another user's server: it opens nothing but the page;
// - the Host must be a loopback name (DNS rebinding), and Origin and Sec-Fetch-Site must be ours if a browser sends them.
// Thread safety: values and pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace beltway::tool {

struct WebSecrets {
  std::string token;   ///< opens everything; a part of the printed URL
  std::string cookie;  ///< opens the page alone
};

/// New ones, of 256 random bits each.
[[nodiscard]] WebSecrets make_web_secrets();
/// Those of the file, which is made with new ones (mode 0600) if it does not exist. Throws Failure if others may read the file,
/// or if it is not of this user.
[[nodiscard]] WebSecrets web_secrets_of_file(const std::string& path);

/// Takes as long for any two texts of these lengths.
[[nodiscard]] bool equal_in_constant_time(std::string_view one, std::string_view other) noexcept;

/// "127.0.0.1", "localhost" or "[::1]". With a port: exactly this port; without: any port or none, as through a tunnel.
[[nodiscard]] bool is_loopback_host(std::string_view host, std::optional<std::uint16_t> port) noexcept;

/// What a request says of itself, as its header has it. Empty: it does not say.
struct RequestHead {
  std::string_view method = "GET";
  std::string_view target = "/";
  std::string_view host = {};
  std::string_view origin = {};
  std::string_view fetch_site = {};
  std::string_view cookies = {};
  std::string_view token = {};          ///< X-Beltway-Token
  std::string_view authorization = {};  ///< "Bearer TOKEN"
};

enum class Admission : std::uint8_t {
  full,        ///< it has the token
  page_only,   ///< it has the cookie
  by_url,      ///< "/?token=" with the right token: give the cookie, and another URL
  nobody,      ///< neither (401)
  wrong_host,  ///< another name than a loopback one (403)
  foreign,     ///< a page of another origin asks (403)
};

class WebAccess {
 public:
  /// `port`: where it listens; nothing: at a Unix socket.
  WebAccess(WebSecrets secrets, std::optional<std::uint16_t> port);

  [[nodiscard]] Admission admit(const RequestHead& head) const noexcept;
  /// An act needs an Origin, and it must be ours.
  [[nodiscard]] static bool may_act(const RequestHead& head) noexcept;

  [[nodiscard]] const std::string& token() const noexcept { return secrets_.token; }
  /// The value of Set-Cookie. The cookie's name has the port: browsers keep one jar for all ports of an address.
  [[nodiscard]] std::string set_cookie() const;

 private:
  WebSecrets secrets_;
  std::optional<std::uint16_t> port_;
  std::string cookie_name_;
};

}  // namespace beltway::tool
