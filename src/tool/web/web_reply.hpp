// The answers of `beltway web` as HTTP: each with the headers that keep a browser from doing more with it than we want.
// Thread safety: pure functions.
#pragma once

#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>
#include <span>
#include <string>

#include "tool/web/web_access.hpp"
#include "tool/web/web_backend.hpp"
#include "tool/web/web_page.hpp"

namespace beltway::tool {

using HttpReply = boost::beast::http::response<boost::beast::http::string_body>;

[[nodiscard]] HttpReply http_reply(const WebAnswer& answer, bool keep_alive);
/// Gives the cookie, and leads to the page. The token goes behind the #, which a browser sends to nobody.
[[nodiscard]] HttpReply redirect_reply(const WebAccess& access);
/// A file of the page; 404, or 503 if the program has no page, with how to get one.
[[nodiscard]] WebAnswer file_answer(const std::string& name, std::span<const PageFile> files = page_files());
/// The header of a stream of events, which ends with the connection.
[[nodiscard]] std::string stream_header();
/// What is told to a request that is not admitted.
[[nodiscard]] WebAnswer refusal_answer(Admission admission);

}  // namespace beltway::tool
