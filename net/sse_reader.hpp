// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "net/reader.hpp"

#include <array>
#include <chrono>
#include <memory>

namespace eventweft::net {

/// A reader over Server-Sent Events. The body ends with the connection.
class sse_reader final : public reader {
 public:
  sse_reader(lane& home, reader_setup setup, transport socket);

  /// Sends the response's header block and starts to read events. To be called
  /// once, after the reader was added to its lane. `page` is the origin whose
  /// pages may read it (CORS), or empty.
  void start(std::string_view page);

 private:
  coalescing_stream& out() noexcept override { return stream_; }
  bool open() const noexcept override { return !is_closing(); }
  void announce() override;
  void send_ping() override;
  void start_close(reader_end why, std::string_view message) override;

  std::shared_ptr<sse_reader> self();
  /// Lets the kernel end a connection whose peer is gone without a word.
  void give_up_after(std::chrono::milliseconds silence);
  void read();
  void say_cursor();

  coalescing_stream stream_;
  /// Nothing that a client says here matters, only its end does.
  std::array<char, 64> scratch_;
};

} // namespace eventweft::net
