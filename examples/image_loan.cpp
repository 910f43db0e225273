// Zero copies: an image of 8 MB is drawn straight into shared memory, and looked at where it lies.
#include <cstdint>
#include <cstring>
#include <iostream>
#include <span>
#include <thread>

#include "beltway/beltway.hpp"

namespace {

constexpr std::size_t k_width = 1920;
constexpr std::size_t k_height = 1080;
constexpr std::size_t k_image_bytes = k_width * k_height * 4;
constexpr int k_frames = 30;

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

int main() try {
  const auto link = beltway::Connection::open();
  // A producer's lane holds the large messages: here three images, so that drawing and looking overlap.
  const auto images = link.declare("images", {.slots = 8, .lane_bytes = 32U << 20, .max_producers = 1});
  auto camera = images.producer();
  auto viewer = images.consumer();

  const std::jthread thread([&] {
    for (int frame = 0; frame < k_frames; ++frame) {
      auto loan = camera.loan(k_image_bytes);  // waits while the lane is full
      render(loan.bytes(), frame);
      loan.commit();  // now, and not before, it has its place in the queue
    }
  });
  int good = 0;
  for (int frame = 0; frame < k_frames; ++frame) {
    auto message = viewer.receive();
    if (is_frame(message->bytes(), frame)) ++good;
  }
  std::cout << good << " of " << k_frames << " images arrived as drawn\n";
  return good == k_frames ? 0 : 1;
} catch (const beltway::Error& error) {
  std::cerr << error.what() << '\n';
  return 1;
}
