// See web_program.hpp.
#include "web_program.hpp"

#include <stdexcept>

namespace beltway::test {

namespace {

Child start(const TestDaemon& daemon, const TempDir& dir, const std::vector<std::string>& arguments) {
  std::vector<std::string> all{program("beltway"), "web", "--format", "json"};
  all.insert(all.end(), arguments.begin(), arguments.end());
  Child::Options options = daemon.client_options();
  options.standard_output = dir.path() / "out";
  options.standard_error = dir.path() / "err";
  return Child::spawn(all, options);
}

}  // namespace

WebProgram::WebProgram(const TestDaemon& daemon, const std::vector<std::string>& arguments)
    : process_(start(daemon, dir_, arguments)) {
  const std::filesystem::path out = dir_.path() / "out";
  const bool listens = eventually([&] { return read_file(out).ends_with("\n") || process_.poll(); });
  const nlohmann::json said = nlohmann::json::parse(read_file(out), nullptr, false);
  if (!listens || !said.is_object()) throw std::runtime_error("beltway web: " + read_file(dir_.path() / "err"));
  token_ = said.at("token").get<std::string>();
  if (said.at("port").is_number()) port_ = said.at("port").get<std::uint16_t>();
}

std::string WebProgram::request(const std::string& method, const std::string& target, const std::string& headers,
                                const std::string& body) const {
  std::string text =
      method + " " + target + " HTTP/1.1\r\nHost: " + host() + "\r\nX-Beltway-Token: " + token_ + "\r\n" + headers;
  if (!body.empty()) text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  return text + "\r\n" + body;
}

HttpAnswer WebProgram::get(const std::string& target, const std::string& headers) const {
  HttpClient client(port_);
  client.send(request("GET", target, headers));
  return client.read_answer();
}

HttpAnswer WebProgram::post(const std::string& target, const nlohmann::json& body) const {
  HttpClient client(port_);
  client.send(request("POST", target, "Origin: http://" + host() + "\r\n", body.dump()));
  return client.read_answer();
}

}  // namespace beltway::test
