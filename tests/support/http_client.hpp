// A client of HTTP/1.1 for tests: sends bytes as they are given, and reads answers.
// Thread safety: one thread at a time.
#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace beltway::test {

struct HttpAnswer {
  int status = 0;                              ///< 0: the connection ended before an answer was whole
  std::map<std::string, std::string> headers;  ///< names in lower case
  std::string body;

  [[nodiscard]] std::string header(const std::string& name) const;
};

class HttpClient {
 public:
  /// Throws std::system_error. `receive_bytes`: of the kernel's buffer; 0: as it likes.
  explicit HttpClient(std::uint16_t port, int receive_bytes = 0);
  explicit HttpClient(const std::string& unix_path);
  ~HttpClient();
  HttpClient(HttpClient&& other) noexcept;
  HttpClient& operator=(HttpClient&&) = delete;

  /// False: the server has closed the connection.
  bool send(const std::string& bytes);
  /// The next answer, by its Content-Length. Waits for at most 20 s.
  HttpAnswer read_answer();
  /// The header of an answer without a length.
  HttpAnswer read_header();
  /// The next "data: ..." of a stream of events, without its name; empty at the end.
  std::string read_event();
  /// Whether the server closes the connection within 20 s; what comes until then is dropped.
  bool is_closed();

 private:
  /// False: at the end, or after 20 s.
  bool read_more();
  std::string take_until(const std::string& end);

  int socket_ = -1;
  std::string buffer_;
};

}  // namespace beltway::test
