// What must not compile, one case a number. Case 0 is good use and must compile, or the others would prove nothing.
#include <string>
#include <string_view>
#include <vector>

#include "beltway/beltway.hpp"

struct Good {
  static constexpr std::string_view beltway_name = "Good.1";
  int value = 0;
};
struct NotTrivial {
  static constexpr std::string_view beltway_name = "NotTrivial.1";
  std::string text;
};
struct Nameless {
  int value = 0;
};
struct alignas(64) Overaligned {
  static constexpr std::string_view beltway_name = "Overaligned.1";
  int value = 0;
};

[[maybe_unused]] static void use(const beltway::Connection& link, beltway::Producer& out, beltway::Consumer& in) {
#if MISUSE == 0
  link.declare<Good>("queue").producer().publish(Good{});
  out.publish(std::vector<int>{1, 2, 3});
  (void)in;
#elif MISUSE == 1  // a string's bytes are pointers
  (void)link.declare<NotTrivial>("queue");
#elif MISUSE == 2  // nothing says what the bytes mean
  (void)link.declare<Nameless>("queue");
#elif MISUSE == 3  // slots do not promise that alignment
  (void)link.declare<Overaligned>("queue");
#elif MISUSE == 4  // pointers mean nothing in another process
  out.publish(std::vector<const char*>{"one"});
#elif MISUSE == 5  // one endpoint, one owner
  beltway::Consumer copy(in);
#elif MISUSE == 6  // messages are read-only
  in.try_receive()->bytes()[0] = std::byte{1};
#endif
}

int main() { return 0; }
