// SPDX-License-Identifier: Apache-2.0
#include "messages/uuid.hpp"

#include "messages/ascii.hpp"

#include <sys/random.h>

#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

namespace eventweft {

uint64_t system_random::next() {
  // One system call a kilobyte: an id needs eight bytes.
  struct pool {
    std::array<uint64_t, 128> words;
    size_t used = 128;
  };
  thread_local pool p;
  if (p.used == p.words.size()) {
    auto* to = reinterpret_cast<char*>(p.words.data());
    for (size_t got = 0; got < sizeof p.words;) {
      const auto n = ::getrandom(to + got, sizeof p.words - got, 0);
      if (n < 0 && errno != EINTR)
        throw std::system_error(errno, std::generic_category(), "getrandom");
      if (n > 0)
        got += static_cast<size_t>(n);
    }
    p.used = 0;
  }
  return std::exchange(p.words[p.used++], 0);
}

uint64_t seeded_random::next() {
  uint64_t z = state_.fetch_add(0x9e3779b97f4a7c15) + 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

uuid uuid::v7(timestamp now, random_source& random) {
  const auto micros = now.time_since_epoch().count();
  const auto millis = static_cast<uint64_t>(micros / 1000);
  // 0 … 999 scaled to 12 bits keeps the order within the millisecond.
  const auto fraction = static_cast<uint64_t>(micros % 1000) * 4096 / 1000;
  const uint64_t tail = random.next();
  uuid id;
  for (int i = 0; i < 6; ++i)
    id.bytes[i] = static_cast<uint8_t>(millis >> (40 - 8 * i));
  id.bytes[6] = static_cast<uint8_t>(0x70 | (fraction >> 8));
  id.bytes[7] = static_cast<uint8_t>(fraction);
  for (int i = 0; i < 8; ++i)
    id.bytes[8 + i] = static_cast<uint8_t>(tail >> (56 - 8 * i));
  id.bytes[8] = static_cast<uint8_t>(0x80 | (id.bytes[8] & 0x3f));
  return id;
}

std::optional<uuid> uuid::parse(std::string_view text) {
  if (text.size() != 36)
    return std::nullopt;
  uuid id;
  size_t nibble = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (i == 8 || i == 13 || i == 18 || i == 23) {
      if (c != '-')
        return std::nullopt;
      continue;
    }
    const int value = hex_value(c);
    if (value < 0)
      return std::nullopt;
    auto& byte = id.bytes[nibble / 2];
    byte = static_cast<uint8_t>((byte << 4) | value);
    ++nibble;
  }
  return id;
}

void append_to(std::string& out, const uuid& id) {
  constexpr std::string_view hex = "0123456789abcdef";
  std::array<char, 36> text;
  size_t at = 0;
  for (size_t i = 0; i < id.bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10)
      text[at++] = '-';
    text[at++] = hex[id.bytes[i] >> 4];
    text[at++] = hex[id.bytes[i] & 15];
  }
  out.append(text.data(), text.size());
}

std::string to_string(const uuid& id) {
  std::string out;
  append_to(out, id);
  return out;
}

} // namespace eventweft

size_t std::hash<eventweft::uuid>::operator()(
    const eventweft::uuid& id) const noexcept {
  // The low half of a version 7 UUID is random already.
  uint64_t low = 0;
  std::memcpy(&low, id.bytes.data() + 8, sizeof low);
  return static_cast<size_t>(low);
}
