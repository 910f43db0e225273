// An attached endpoint that has the rights of any other, and does with them what it likes.
// Thread safety: none.
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <utility>
#include <vector>

#include "beltway/queue.hpp"
#include "hostile/scribble.hpp"
#include "os/fd.hpp"
#include "support/raw_client.hpp"

namespace beltway::test {

/// An attached endpoint that does with its descriptors what it likes.
class Intruder {
 public:
  Intruder(const TestDaemon& daemon, const Queue& queue, const Geometry& geometry, Neighbour as)
      : geometry_(geometry), client_(daemon) {
    client_.say_hello();
    nlohmann::json request{{"op", "attach"},      {"n", 1},
                           {"queue", queue.id()}, {"barriers", true},
                           {"bells", true},       {"role", as == Neighbour::producer ? "producer" : "consumer"}};
    if (as == Neighbour::consumer) request.update({{"lossy", true}, {"start", "latest"}});
    client_.say(request);
    const nlohmann::json reply = client_.hear();
    if (reply.contains("error")) throw std::runtime_error(reply.dump());
    descriptors_ = std::move(client_.descriptors);
    const int right = as == Neighbour::producer ? PROT_READ | PROT_WRITE : PROT_READ;
    control_ = place(0, geometry_.control_bytes(), PROT_READ | PROT_WRITE);
    ring_ = place(1, geometry_.ring_bytes(), right);
    heap_ = place(2, geometry_.heap_bytes(), right);
  }
  Intruder(const Intruder&) = delete;
  Intruder& operator=(const Intruder&) = delete;
  ~Intruder() {
    ::munmap(control_, geometry_.control_bytes());
    ::munmap(ring_, geometry_.ring_bytes());
    ::munmap(heap_, geometry_.heap_bytes());
  }

  [[nodiscard]] QueueMemory memory() const { return {geometry_, ring_, heap_, control_, nullptr}; }
  [[nodiscard]] int ring_descriptor() const { return descriptors_[1].get(); }
  [[nodiscard]] int heap_descriptor() const { return descriptors_[2].get(); }
  /// By place: producers first.
  [[nodiscard]] int bell(std::size_t number) const { return descriptors_[3 + number].get(); }

 private:
  std::byte* place(std::size_t index, std::size_t bytes, int right) {
    void* const at = ::mmap(nullptr, bytes, right, MAP_SHARED, descriptors_[index].get(), 0);
    if (at == MAP_FAILED) throw std::runtime_error("mmap");
    return static_cast<std::byte*>(at);
  }

  const Geometry geometry_;
  RawClient client_;
  std::vector<os::Fd> descriptors_;
  std::byte* control_;
  std::byte* ring_;
  std::byte* heap_;
};

}  // namespace beltway::test
