#include "python/python_api.hpp"

namespace beltway::python {

void fail(PyObject* type, const std::string& text) {
  PyErr_SetString(type, text.c_str());
  throw ErrorIsSet{};
}

Until Deadline::piece() const {
  constexpr std::chrono::milliseconds k_piece{200};
  const Clock::time_point end = Clock::now() + k_piece;
  return at_ && *at_ < end ? Until(*at_) : Until(end);
}

}  // namespace beltway::python
