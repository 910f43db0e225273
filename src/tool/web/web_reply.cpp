// See web_reply.hpp.
#include "tool/web/web_reply.hpp"

#include <algorithm>
#include <array>

namespace beltway::tool {

namespace {

namespace http = boost::beast::http;

struct Header {
  const char* name;
  const char* value;
};

// No script and no style but the page's own files, no frame around it, no other origin that reads it, nothing of it on a disk.
constexpr std::array<Header, 8> k_headers{
    {{"Content-Security-Policy",
      "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; worker-src 'self'; img-src 'self'; "
      "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"},
     {"X-Content-Type-Options", "nosniff"},
     {"X-Frame-Options", "DENY"},
     {"Referrer-Policy", "no-referrer"},
     {"Cross-Origin-Resource-Policy", "same-origin"},
     {"Cross-Origin-Opener-Policy", "same-origin"},
     {"Permissions-Policy", "camera=(), geolocation=(), microphone=()"},
     {"Cache-Control", "no-store"}}};

WebAnswer words(unsigned status, const std::string& text) {
  return {.status = status, .type = "text/plain; charset=utf-8", .body = text + "\n"};
}

}  // namespace

HttpReply http_reply(const WebAnswer& answer, bool keep_alive) {
  HttpReply reply(http::int_to_status(answer.status), 11);
  for (const Header& header : k_headers) reply.set(header.name, header.value);
  reply.set(http::field::content_type, answer.type);
  reply.body() = answer.body;
  reply.keep_alive(keep_alive);
  reply.prepare_payload();
  return reply;
}

HttpReply redirect_reply(const WebAccess& access) {
  HttpReply reply = http_reply(words(303, "The page is at /."), true);
  reply.set(http::field::location, "/#" + access.token());
  reply.set(http::field::set_cookie, access.set_cookie());
  return reply;
}

WebAnswer file_answer(const std::string& name, std::span<const PageFile> files) {
  if (files.empty() && name == "index.html")
    return words(503, "No page: " + std::string(k_no_page) + ". Its API is at /api/fleet.");
  const auto found = std::ranges::find(files, name, &PageFile::name);
  if (found == files.end()) return error_answer(404, "there is nothing at this path");
  return {.type = std::string(found->type), .body = std::string(found->content)};
}

std::string stream_header() {
  std::string text = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n";
  for (const Header& header : k_headers) text += std::string(header.name) + ": " + header.value + "\r\n";
  return text + "\r\n";
}

WebAnswer refusal_answer(Admission admission) {
  switch (admission) {
    case Admission::wrong_host:
      return words(403, "Ask for 127.0.0.1 or localhost, with the port that beltway web printed.");
    case Admission::foreign: return words(403, "A page of another origin may not ask this.");
    default: return words(401, "The token is missing: open the address that beltway web printed.");
  }
}

}  // namespace beltway::tool
