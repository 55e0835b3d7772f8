// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "fixture.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace eventweft::net {

/// Many connections that cost the test next to nothing: sockets without a
/// buffer each, read by one thread when it asks for it.
class crowd {
 public:
  /// `count` connections; with a `request`, each sends it and has read its
  /// answer's header block.
  crowd(uint16_t port, size_t count, const std::string& request = {},
        int receive_buffer = 0);
  ~crowd();
  crowd(const crowd&) = delete;
  crowd& operator=(const crowd&) = delete;

  /// A WebSocket's request.
  static std::string upgrade(const std::string& target);

  /// Reads until each has had so many events in all; false if that takes
  /// longer than our patience or one of them ends.
  bool read_until(size_t events);

  /// Sends to each that is still open, as far as it takes it.
  void send_each(std::string_view bytes);

  /// How many the server has not ended; reads what they said.
  size_t open();

 private:
  struct member {
    int fd = -1;
    size_t events = 0;
    /// The end of what came, in case the mark is cut.
    std::string tail;
  };

  /// False once it has ended.
  bool receive(member& m);

  std::vector<member> members_;
};

} // namespace eventweft::net
