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
  /// With `progress` the cursor comes as an event of that type, not in a block
  /// that has only an id: browsers show a page the former alone.
  sse_reader(lane& home, reader_setup setup, transport socket, bool progress);

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
  /// The cursor, if it moved, as fields of the block that is being written:
  /// only its id, or what was asked for.
  bool say_id();
  void say_cursor();

  coalescing_stream stream_;
  bool progress_;
  /// Nothing that a client says here matters, only its end does.
  std::array<char, 64> scratch_;
};

} // namespace eventweft::net
