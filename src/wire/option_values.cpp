#include "wire/option_values.hpp"

namespace beltway::wire {

std::string octal(std::uint32_t mode) {
  std::string digits;
  for (std::uint32_t rest = mode; rest != 0; rest >>= 3)
    digits.insert(digits.begin(), static_cast<char>('0' + (rest & 7)));
  return "0" + std::string(digits.size() < 3 ? 3 - digits.size() : 0, '0') + digits;
}

std::string text_of(const TypeTag& type) {
  if (type.size == 0) return "untyped";
  return type.name + " (" + std::to_string(type.size) + " bytes, aligned to " + std::to_string(type.alignment) + ")";
}

std::string text_of(const std::vector<NamedGroup>& groups) {
  std::string text;
  for (const NamedGroup& group : groups) text += (text.empty() ? "" : ", ") + group.name;
  return text;
}

}  // namespace beltway::wire
