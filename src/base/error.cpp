// The error category and the texts of its conditions.
#include "beltway/error.hpp"

namespace beltway {

namespace {

class Category final : public std::error_category {
 public:
  [[nodiscard]] const char* name() const noexcept override { return "beltway"; }
  [[nodiscard]] std::string message(int condition) const override {
    switch (static_cast<Errc>(condition)) {
      case Errc::invalid_option: return "invalid option";
      case Errc::not_found: return "not found";
      case Errc::already_exists: return "exists with other options";
      case Errc::no_permission: return "no permission";
      case Errc::limit_reached: return "limit reached";
      case Errc::too_large: return "message too large";
      case Errc::removed: return "removed";
      case Errc::evicted: return "evicted";
      case Errc::no_daemon: return "no daemon";
      case Errc::protocol: return "protocol error";
      case Errc::incompatible: return "incompatible layout";
      case Errc::wrong_type: return "wrong type";
      case Errc::forked: return "used after fork";
      case Errc::misuse: return "misuse";
      case Errc::system: return "system error";
      case Errc::interrupted: return "interrupted";
    }
    return "unknown condition " + std::to_string(condition);
  }
};

}  // namespace

const std::error_category& category() noexcept {
  static const Category instance;
  return instance;
}

Error::Error(Errc code, const std::string& message) : std::system_error(make_error_code(code)), message_(message) {}

}  // namespace beltway
