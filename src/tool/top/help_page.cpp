// What each field and key of a page means. TOP.md says the same at more length.
#include <array>
#include <span>
#include <string_view>

#include "tool/top/pages.hpp"

namespace beltway::tool {

namespace {

struct Explained {
  std::string_view name;  ///< empty: a heading or a sentence
  std::string_view text;
};

constexpr std::array k_queues{
    Explained{"", "FIRST LINES"},
    Explained{"line 1",
              "queues, those in trouble, messages in and out a second of all, shared memory; the time of the sample"},
    Explained{"line 2",
              "the daemon that was asked; or the gravest of what is wrong with it or the machine (beltway doctor tells "
              "all). While it does not answer, the last known state stays"},
    Explained{"", "ONE LINE FOR EACH QUEUE"},
    Explained{"mark",
              "! trouble: a process waits, or messages are lost. * warning: one will soon, or messages come late. - "
              "a note"},
    Explained{"IN/s OUT/s",
              "throughput N/T: messages N published and received in a time T, a second, of all groups and private "
              "consumers together"},
    Explained{"DEPTH",
              "slots that the slowest reliable group still needs, as a share of the ring. 100%: producers wait"},
    Explained{"IN, 60 s",
              "messages published in each of the last 60 seconds. The highest value of the line has full height"},
    Explained{"AGE",
              "how old the oldest message is that is not finished. With ~ it is computed, as delay N/R: messages N "
              "that wait, divided by the rate R of receipt. - not known"},
    Explained{"WHY",
              "the gravest verdict. Below the list: the verdict of the marked queue, and the command that mends it"},
    Explained{"", "KEYS"},
    Explained{"arrows j k", "mark another queue; PgUp, PgDn, Home, End, g, G go further"},
    Explained{"Enter", "open the marked queue: its ring, groups, consumers, producers, messages, and acts"},
    Explained{"s < > r", "menu of sort keys, the previous one, the next one, reverse"},
    Explained{"/", "filter by name, group or owner; * and ? stand for other characters. Esc clears it"},
    Explained{"u", "sample now"},
    Explained{"Ctrl-Z q", "suspend, quit"}};

constexpr std::array k_queue{
    Explained{"", "STATE"},
    Explained{"position", "of the next message to be published"},
    Explained{"used", "slots that the slowest reliable group still needs. When all are used, producers wait"},
    Explained{"parked", "messages that are held or delayed for long and do not hold the ring any more"},
    Explained{"in out", "throughput N/T: messages N published and received in a time T, a second"},
    Explained{"delay",
              "delay N/R: messages N that wait, divided by the rate R of receipt: what a new message will wait"},
    Explained{"oldest", "age of the oldest message that is not finished (queues with stamps)"},
    Explained{"! * -",
              "verdicts, the gravest first: what is wrong, why, since when, and below it the commands that mend it"},
    Explained{"", "RING"},
    Explained{"|##LL..|",
              "the ring from the oldest position to the latest. A letter stands for some slots and shows the "
              "most remarkable one; the line below explains the letters"},
    Explained{"A B", "floors: the first position that a group or a private consumer still needs. *: several"},
    Explained{"in out lag", "of each of the last 60 seconds; lag: of the slowest group"},
    Explained{"", "AGE WHEN GOT (queues with stamps)"},
    Explained{"HALF 99% ALL", "so old at most was this part of the messages when the attached consumers got them"},
    Explained{
        "bars",
        "how many messages had which age, young ones on the left; a bar stands for twice the age of the one before"},
    Explained{"", "GROUPS"},
    Explained{"LAG", "messages that it has not acknowledged"},
    Explained{"DELAY", "delay N/R: its lag N, divided by its rate R of receipt"},
    Explained{"FULL", "time until the ring is full of its messages, at these rates. -: its lag does not grow"},
    Explained{"AGE", "of its oldest message that is not finished (queues with stamps)"},
    Explained{"HELD", "messages that its consumers hold and have not acknowledged"},
    Explained{"AGAIN", "messages that failed and will be delivered again, now or after their delay"},
    Explained{"PARK", "messages that are held or delayed for long and do not hold the ring any more"},
    Explained{"DEAD", "messages that its consumers moved to the dead letter queue"},
    Explained{"CONS", "its consumers. In the table of consumers: their numbers, as acts and commands take them"},
    Explained{"", "CONSUMERS AND PRODUCERS"},
    Explained{"PID COMMAND", "the process that attached; ? if it is not visible here. Then its user"},
    Explained{"MSG/s", "messages received or published a second"},
    Explained{"BUSY", "share of the time in which it did not wait. 100% and a growing lag: more consumers help"},
    Explained{"WAKES", "times that it was woken for each message. Near 0 is cheap"},
    Explained{"HELD", "messages that it holds; a private consumer: how far it is behind"},
    Explained{"LANE", "bytes of large messages of a producer that a group still needs"},
    Explained{"", "KEYS"},
    Explained{"arrows Tab",
              "mark a line; Tab: the next group, consumer or producer. A group's or consumer's line says what "
              "acts and messages are about"},
    Explained{"a", "menu of acts: pause, purge, reset, requeue, evict, remove. Each asks first, and shows its command"},
    Explained{"m Enter", "messages of the marked group; of the whole ring, if no group is marked"},
    Explained{"u Esc q", "sample now; back to the list"}};

constexpr std::array k_messages{
    Explained{
        "",
        "Messages are copied and not taken: consumers get them all the same. Those of a group are the ones that it has "
        "not acknowledged; those of the whole ring may be acknowledged already. The list does not move: u reads anew."},
    Explained{"PROD", "number of the producer"},
    Explained{"AGE", "time since it was published (queues with stamps)"},
    Explained{
        "GOT",
        "how often the group got it, with the delivery that has not ended. Many: the message may be at fault. - the "
        "whole ring"},
    Explained{"BY", "the consumer of the group that holds it; - none"},
    Explained{"", "KEYS"},
    Explained{"arrows j k",
              "mark another message; PgUp, PgDn, Home, End, G go further. The list has a part of very many messages: "
              "it reads on at its ends"},
    Explained{"Enter", "open the message: text, hex, JSON, properties"},
    Explained{"a", "acts on the marked message of a group: acknowledge, move, evict its holder. Each asks first"},
    Explained{"/ n", "search for text in the payloads behind the marked message; again"},
    Explained{"g", "go to a position (1200), or to the first message that is not older than an age (30s, 10m)"},
    Explained{"u Esc q", "read anew; back to the queue"}};

constexpr std::array k_message{
    Explained{"t h j", "the payload as text, as hex, as JSON with indentation"},
    Explained{"a", "acts on the message: acknowledge, move, evict its holder. Each asks first"},
    Explained{"n p", "the next message, the previous one"}, Explained{"arrows", "scroll"},
    Explained{"Esc q", "back to the list"}};

std::span<const Explained> help_of(Page page) {
  switch (page) {
    case Page::queues: return k_queues;
    case Page::queue: return k_queue;
    case Page::messages: return k_messages;
    case Page::message: return k_message;
  }
  return {};
}

}  // namespace

std::vector<PageLine> help_lines(Page page, std::size_t width, Charset charset) {
  static constexpr std::size_t k_name = 12;
  std::vector<PageLine> lines;
  for (const Explained& each : help_of(page)) {
    const std::size_t indent = each.name.empty() ? 1 : k_name + 2;
    std::string name = each.name.empty() ? " " : ' ' + fitted(each.name, k_name, charset) + ' ';
    for (const std::string& line : wrapped(each.text, width > indent ? width - indent : 1, charset)) {
      lines.push_back({.spans = {{name, {.bold = true}}, {line, {.bold = each.name.empty()}}}});
      name = std::string(indent, ' ');
    }
  }
  return lines;
}

}  // namespace beltway::tool
