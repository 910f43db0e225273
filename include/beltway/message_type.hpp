// Which types may be messages of a typed queue, and the tag by which the queue knows its type.
#pragma once

#include "beltway/detail/requirements.hpp"

#include <concepts>
#include <cstddef>
#include <string>
#include <string_view>
#include <type_traits>

#include "beltway/limits.hpp"
#include "beltway/options.hpp"

namespace beltway {

/// The name that a type has on the queue, checked at attach together with size and alignment. Either the type has a member
/// `static constexpr std::string_view beltway_name = "..."`, or this is specialised for it with a `value` of that kind. Change
/// the name when the meaning of the bytes changes.
template <class T>
struct TypeName {};
template <class T>
  requires requires { T::beltway_name; }
struct TypeName<T> {
  static constexpr std::string_view value = T::beltway_name;
};

namespace detail {

template <class T>
concept HasTypeName = requires {
  { TypeName<T>::value } -> std::convertible_to<std::string_view>;
};
template <class T>
concept HasMessageBytes =
    std::is_trivially_copyable_v<T> && std::is_default_constructible_v<T> && !std::is_pointer_v<T>;

/// Says in one error what is wrong with T.
template <class T>
struct MessageTypeCheck {
  static_assert(HasTypeName<T>,
                "beltway: this message type has no name on the queue; add to it: static constexpr std::string_view "
                "beltway_name = \"my.Type.1\"; or specialise beltway::TypeName for it");
  static_assert(HasMessageBytes<T>,
                "beltway: a message type must be trivially copyable and default constructible, and no pointer: other "
                "processes read its bytes; use publish() and text() of an untyped queue for strings");
  static_assert(alignof(T) <= k_payload_alignment,
                "beltway: slots do not promise the alignment of this message type; see beltway::k_payload_alignment");
};

template <class T>
[[nodiscard]] constexpr std::string_view type_name() noexcept {
  if constexpr (HasTypeName<T>) {
    return TypeName<T>::value;
  } else {
    return {};
  }
}

}  // namespace detail

template <class T>
concept MessageType = detail::HasMessageBytes<T> && detail::HasTypeName<T> && alignof(T) <= k_payload_alignment;

/// The tag of T. Same type name, size and alignment: same type.
template <class T>
[[nodiscard]] TypeTag type_tag() {
  static_assert(sizeof(detail::MessageTypeCheck<T>) != 0);
  static_assert(detail::type_name<T>().size() <= k_max_type_name_length);
  return {std::string(detail::type_name<T>()), sizeof(T), alignof(T)};
}

}  // namespace beltway
