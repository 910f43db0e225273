// The consumers and producers on the page of a queue.
#include <algorithm>
#include <cmath>

#include "tool/text/units.hpp"
#include "tool/top/pages.hpp"
#include "watch/causes.hpp"

namespace beltway::tool {

namespace {

const watch::EndpointView* find_view(const watch::QueueDetail& detail, const EndpointInfo& endpoint) {
  const auto found =
      std::find_if(detail.endpoints.begin(), detail.endpoints.end(), [&](const watch::EndpointView& each) {
        return each.info.producer == endpoint.producer && each.info.index == endpoint.index;
      });
  return found == detail.endpoints.end() ? nullptr : &*found;
}

/// What both kinds of endpoints have.
struct Common {
  std::string pid = {};
  std::string command = {};
  std::string user = {};
  std::string state = {};  ///< of the process; empty: it runs
  std::string rate = {};
  std::string busy = {};
  std::string wakes = {};
};

Common common_of(const OpenQueue& open, const EndpointInfo& endpoint) {
  Common common{.pid = std::to_string(endpoint.pid), .command = "?", .user = std::to_string(endpoint.uid)};
  if (const auto process = open.processes.find(endpoint.pid); process != open.processes.end()) {
    common.command = process->second.name;
    common.state = process->second.state;
  }
  if (const auto user = open.users.find(endpoint.uid); user != open.users.end()) common.user = user->second;
  if (const watch::EndpointView* const view = find_view(open.detail, endpoint)) {
    common.rate = short_number(view->messages_per_s);
    common.busy = short_number(view->busy * 100) + "%";
    common.wakes =
        view->wakes_per_message < 0.005 ? "0" : format_ratio(std::round(view->wakes_per_message * 100) / 100);
  }
  return common;
}

/// Columns of names, as wide as the screen allows.
struct NameWidths {
  std::size_t name = 10;  ///< of a group or producer
  std::size_t command = 10;
};

NameWidths widths_of(std::size_t width) {
  static constexpr std::size_t k_usual = 80;
  const std::size_t more = width > k_usual ? (width - k_usual) / 4 : 0;
  return {.name = 10 + std::min<std::size_t>(more, 20), .command = 10 + std::min<std::size_t>(more, 6)};
}

std::string row_of(const std::string& number, const std::string& name, const Common& common, const std::string& special,
                   std::size_t width, Charset charset) {
  const NameWidths widths = widths_of(width);
  const auto left = [&](const std::string& text, std::size_t columns) { return fitted(text, columns, charset) + ' '; };
  const auto right = [&](const std::string& text, std::size_t columns) {
    return fitted(text, columns, charset, Align::right) + ' ';
  };
  return "  " + left(number, 4) + left(name, widths.name) + right(common.pid, 7) +
         left(common.command, widths.command) + left(common.user, 7) + right(common.rate, 5) + right(common.busy, 4) +
         right(common.wakes, 5) + right(special, 5);
}

Common headings() {
  return {.pid = "PID", .command = "COMMAND", .user = "USER", .rate = "MSG/s", .busy = "BUSY", .wakes = "WAKES"};
}

void append(std::string& text, const std::string& more) {
  if (!more.empty()) text += (text.empty() ? "" : ", ") + more;
}

std::string state_text(const Common& common, const EndpointInfo& endpoint) {
  std::string text = common.state;
  if (endpoint.evicted) append(text, "evicted");
  if (watch::is_orphan(endpoint)) append(text, "orphan");
  if (endpoint.leaving) append(text, "group removed");
  if (endpoint.lossy) append(text, "lossy");
  return text;
}

std::string sleep_text(SleepState sleep) {
  return sleep == SleepState::asleep ? "asleep" : sleep == SleepState::signalled ? "woken" : "";
}

std::string waits_text(const ProducerState& producer) {
  switch (producer.waits_for) {
    case WaitsFor::nothing: return {};
    case WaitsFor::ring: return "waits: ring";
    case WaitsFor::lane: return "waits: lane";
    case WaitsFor::claim: return "waits: another producer's claim";
    case WaitsFor::own_loans: return "waits: own loans";
  }
  return {};
}

void add_consumer(std::vector<PageLine>& lines, const OpenQueue& open, const ConsumerState& consumer, std::size_t width,
                  Charset charset) {
  const EndpointInfo& endpoint = consumer.endpoint;
  const Common common = common_of(open, endpoint);
  std::string state = state_text(common, endpoint);
  append(state, sleep_text(consumer.sleep));
  const std::uint64_t holds = endpoint.group.empty() ? consumer.lag : consumer.held;
  const std::string row = row_of(std::to_string(endpoint.index), endpoint.group.empty() ? "(private)" : endpoint.group,
                                 common, short_number(static_cast<double>(holds)), width, charset) +
                          state;
  const bool is_ill = !common.state.empty() || endpoint.evicted || watch::is_orphan(endpoint);
  lines.push_back({.spans = {{row, {.ink = is_ill ? Ink::trouble : Ink::plain}}},
                   .target = Target{.kind = Target::Kind::consumer, .name = {}, .index = endpoint.index}});
}

void add_producer(std::vector<PageLine>& lines, const OpenQueue& open, const ProducerState& producer, std::size_t width,
                  Charset charset) {
  const EndpointInfo& endpoint = producer.endpoint;
  const Common common = common_of(open, endpoint);
  std::string state = state_text(common, endpoint);
  append(state, waits_text(producer));
  if (producer.waits_for == WaitsFor::nothing) append(state, sleep_text(producer.sleep));
  if (producer.claimed > 0) append(state, "writes " + format_count(producer.claimed));
  const std::string lane = producer.lane_messages == 0 ? "-" : short_number(static_cast<double>(producer.lane_used));
  const std::string row = row_of(std::to_string(endpoint.index), endpoint.name.empty() ? "-" : endpoint.name, common,
                                 lane, width, charset) +
                          state;
  lines.push_back({.spans = {{row, {.ink = common.state.empty() ? Ink::plain : Ink::trouble}}},
                   .target = Target{.kind = Target::Kind::producer, .name = {}, .index = endpoint.index}});
}

}  // namespace

void add_endpoint_lines(std::vector<PageLine>& lines, const OpenQueue& open, std::size_t width, Charset charset) {
  const auto heading = [&](const std::string& number, const std::string& name, const std::string& special) {
    lines.emplace_back();
    lines.push_back(heading_line(row_of(number, name, headings(), special, width, charset) + "STATE"));
  };
  const QueueSnapshot& snapshot = open.detail.snapshot;
  heading("CONS", "GROUP", "HELD");
  if (snapshot.consumers.empty()) lines.push_back({.spans = {{"  there is no consumer", {Ink::quiet}}}});
  for (const ConsumerState& consumer : snapshot.consumers) add_consumer(lines, open, consumer, width, charset);
  heading("PROD", "NAME", "LANE");
  if (snapshot.producers.empty()) lines.push_back({.spans = {{"  there is no producer", {Ink::quiet}}}});
  for (const ProducerState& producer : snapshot.producers) add_producer(lines, open, producer, width, charset);
}

}  // namespace beltway::tool
