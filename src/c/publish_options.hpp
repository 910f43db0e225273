// Properties of the C API, as C++ has them and back.
// Thread safety: as a value; functions are pure.
#pragma once

#include <array>

#include "beltway/beltway.h"
#include "beltway/limits.hpp"
#include "beltway/message.hpp"
#include "beltway/producer.hpp"
#include "beltway/properties.hpp"

namespace beltway::c {

static_assert(BELTWAY_MAX_HEADERS == k_max_headers);

/// What a publish may ask for. The texts are the program's, and the arrays lie in this object. It allocates nothing.
class PublishOptionsOf {
 public:
  /// NULL: nothing. Throws Error(invalid_option, incompatible, too_large).
  explicit PublishOptionsOf(const beltway_properties* properties) { take(properties); }
  explicit PublishOptionsOf(const beltway_publish_options* options);
  PublishOptionsOf(const PublishOptionsOf&) = delete;
  PublishOptionsOf& operator=(const PublishOptionsOf&) = delete;

  /// Whether there is anything beside the bytes.
  [[nodiscard]] bool empty() const noexcept { return options_.sequence == 0 && options_.properties.empty(); }
  [[nodiscard]] const PublishOptions& get() const noexcept { return options_; }
  [[nodiscard]] const Properties& properties() const noexcept { return options_.properties; }

 private:
  void take(const beltway_properties* given);

  PublishOptions options_;
  DeadLetter dead_letter_;
  union {  // Not initialised: only as many as there are headers.
    std::array<MessageHeader, k_max_headers> headers_;
  };
};

/// Fills `to`, whose size was checked.
void fill(beltway_received_properties& to, const PropertiesView& from) noexcept;

}  // namespace beltway::c
