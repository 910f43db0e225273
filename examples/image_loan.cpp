// Zero copies: an image of 8 MB is drawn straight into shared memory, and looked at where it lies.
// `image_loan [FRAMES]` ends after them, or at SIGTERM or Ctrl-C.
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <span>
#include <thread>

#include "beltway/beltway.hpp"

namespace {
constexpr std::size_t k_width = 1920, k_height = 1080;
constexpr std::size_t k_image_bytes = k_width * k_height * 4;

// Stands for a camera or a renderer: fills the memory that it is given.
void render(std::span<std::byte> image, int frame) {
  for (std::size_t y = 0; y < k_height; ++y) {
    std::memset(image.data() + y * k_width * 4, static_cast<int>(y + static_cast<std::size_t>(frame)), k_width * 4);
  }
}

bool is_frame(std::span<const std::byte> image, int frame) {
  return image.size() == k_image_bytes && image.front() == static_cast<std::byte>(frame) &&
         image.back() == static_cast<std::byte>(k_height - 1 + static_cast<std::size_t>(frame));
}

}  // namespace

int main(int argc, char** argv) try {
  const int frames = argc > 1 ? std::atoi(argv[1]) : 30;
  const auto stop = beltway::stop_on({SIGINT, SIGTERM});
  const auto link = beltway::Connection::open();
  // A producer's lane holds the large messages: here three images, so that drawing and looking overlap.
  const auto images = link.declare("images", {.slots = 8, .lane_bytes = 32U << 20, .max_producers = 1});
  auto camera = images.producer();
  auto viewer = images.consumer();

  const std::jthread thread([&] {
    for (int frame = 0; frame < frames && !stop.token().stop_requested(); ++frame) {
      auto loan = camera.loan_until(k_image_bytes, stop);  // waits while the lane is full
      if (!loan) return;
      render(loan->bytes(), frame);  // writes all of it: what is committed and not written holds old bytes
      if (loan->commit_until(loan->size(), stop) != beltway::Status::ok) return;  // now it has its place in the queue
    }
  });
  int good = 0, seen = 0;
  for (; seen < frames; ++seen) {
    auto message = viewer.receive(stop);
    if (!message) break;
    if (is_frame(message->bytes(), seen)) ++good;
  }
  std::cout << good << " of " << seen << " images arrived as drawn\n";
  return good == seen ? 0 : 1;
} catch (const beltway::Error& error) {
  std::cerr << error.what() << '\n';
  return 1;
}
