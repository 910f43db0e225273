// What strangers may send to `beltway web`: the head of a request, its path, its query and the body of an act.
//
// The input's lines are method, target, host, origin, cookies and authorization; the rest is the body.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "tool/web/web_access.hpp"
#include "tool/web/web_request.hpp"

namespace {

using namespace beltway::tool;

void require(bool holds) {
  if (!holds) std::abort();
}

std::string_view take_line(std::string_view& text) {
  const std::size_t end = std::min(text.find('\n'), text.size());
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const WebAccess access(make_web_secrets(), 8765);
  std::string_view text(reinterpret_cast<const char*>(data), size);
  RequestHead head;
  for (std::string_view* const each :
       std::array{&head.method, &head.target, &head.host, &head.origin, &head.cookies, &head.authorization})
    *each = take_line(text);
  const Admission admission = access.admit(head);
  require(admission != Admission::full && admission != Admission::by_url && admission != Admission::page_only);
  require(is_loopback_host(head.host, 8765) || admission == Admission::wrong_host);
  try {
    const WebRequest request = parse_web_request(head.method, head.target, text);
    require(std::holds_alternative<ActRequest>(request) == (head.method == "POST"));
    if (const auto* const act = std::get_if<ActRequest>(&request))
      require(!act->queue.empty() && act->queue.size() <= 255);
    if (const auto* const messages = std::get_if<MessagesRequest>(&request)) require(messages->count <= 500);
  } catch (const WebRefusal& refusal) {
    require(refusal.status() >= 400 && refusal.status() < 500);
  }
  return 0;
}
