// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/control_bus.hpp"
#include "messages/errors.hpp"
#include "messages/event.hpp"
#include "messages/processing.hpp"
#include "messages/uuid.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

/// What travels on a link between two nodes, byte for byte:
///
///     frame  := kind:u8 body
///     number := little-endian u32 or u64
///     text   := length:u32 bytes
///
///     1 hello    := "EWL" protocol_min:u32 protocol:u32 types:u64 node:text
///                   incarnation:16 store:16 nonce:text certificate:text
///     2 answer   := hello-body signature:text
///     3 proof    := signature:text
///     4 welcome  := credit:u64
///     5 refused  := reason:text
///     6 data     := number:u64 item
///     7 ack      := number:u64 credit:u64
///     8 ping     := stamp:u64 sent:u64 head:u64
///     9 pong     := stamp:u64 head:u64
///    10 bye      := reason:text
///
///     item := 1 first:u64 last:u64 count:u32 text…   events, native JSON
///           | 2 seq:u64                              the log reaches to
///           | 3 kind:u8 text                         something changed
///           | 4 event:16 status:u32 type:text body:text
///                      what a handler replies to a webhook; status 0: nothing
///           | 5 count:u32 (event:16 thread:16 parent:16)…
///               count:u32 (id:16 thread:16)…
///                      what the events of the next item, which is 1 or 2,
///                      changed of the threads before them; nil: not that
///           | 6 events:u8    whether the sender wants items 1 and 5; if not,
///                      item 2 will do. Who never said it wants them
///           | 7 number:u64 text      events that the peer shall append, as
///                      relayed_append.hpp has them
///           | 8 number:u64 count:u32 (id:16 became:u8 seq:u64 why:text)…
///                      what became of those of item 7 with that number, each
///
/// Item 4 is sent to those who speak protocol 2 or newer, item 5 to those who
/// speak 3, items 6 to 8 to those who speak 4. An item of another
/// number, or a change of a kind that is not known here, is a newer program's:
/// it is read as a hint that there is something new in the store. So items and
/// kinds may be appended without a new protocol where that is good enough.
///
/// CAF carries each frame as one string: no type of ours depends on its table
/// of types, and a frame that can't be read harms nobody but its link.
namespace eventweft::link {

/// No frame is larger, on either side.
inline constexpr size_t max_frame_bytes = 1u << 20;
/// What a sender fills a frame with, at most.
inline constexpr size_t frame_fill_bytes = 256u << 10;
inline constexpr size_t nonce_bytes = 32;

/// The link protocols that this program speaks.
inline constexpr uint32_t oldest_protocol = 1;
inline constexpr uint32_t newest_protocol = 4;
/// From here on `reply_item` is understood.
inline constexpr uint32_t replies_protocol = 2;
/// From here on `news_item` is.
inline constexpr uint32_t news_protocol = 3;
/// From here on `interest_item` is.
inline constexpr uint32_t interest_protocol = 4;
/// From here on `append_item` and `appended_item` are.
inline constexpr uint32_t relay_protocol = 4;

struct hello {
  uint32_t protocol_min = 1;
  uint32_t protocol = 1;
  /// Stands for the types that the transport itself uses.
  uint64_t types = 0;
  std::string node;
  uuid incarnation;
  uuid store;
  /// Random; what the other side has to sign.
  std::string nonce;
  /// PEM; empty without TLS.
  std::string certificate;

  bool operator==(const hello&) const = default;
};

struct answer {
  hello who;
  std::string signature;
  bool operator==(const answer&) const = default;
};

struct proof {
  std::string signature;
  bool operator==(const proof&) const = default;
};

struct welcome {
  uint64_t credit = 0;
  bool operator==(const welcome&) const = default;
};

struct refused {
  std::string reason;
  bool operator==(const refused&) const = default;
};

struct events_item {
  seq_t first = 0;
  seq_t last = 0;
  /// Each event's native JSON.
  std::vector<std::string> events;
  bool operator==(const events_item&) const = default;
};

struct head_item {
  seq_t seq = 0;
  bool operator==(const head_item&) const = default;
};

/// Answers no frame: of use to the node that the event's webhook came to, if
/// it is still waiting.
struct reply_item {
  uuid event;
  std::optional<processing::reply> reply;
  bool operator==(const reply_item&) const = default;
};

/// Goes before the events that brought it.
struct news_item {
  thread_news news;
  bool operator==(const news_item&) const = default;
};

/// Whether anybody reads live events where this comes from.
struct interest_item {
  bool events = true;
  bool operator==(const interest_item&) const = default;
};

/// Events that the peer's writer shall append (`relayed_append.hpp`).
struct append_item {
  /// The sender's own; what the answer repeats.
  uint64_t number = 0;
  std::string events;
  bool operator==(const append_item&) const = default;
};

/// What became of one of them.
struct appended {
  /// Numbers travel.
  enum class kind : uint8_t {
    stored = 0,
    duplicate = 1,
    /// By the store, for what it contains.
    refused = 2,
    /// The peer can't; it may be stored all the same.
    not_taken = 3,
  };
  /// A duplicate's is the first one's.
  uuid id;
  kind became = kind::not_taken;
  seq_t seq = 0;
  /// Of what was refused or not taken.
  std::string why;
  bool operator==(const appended&) const = default;
};

/// One for each event of the `append_item`, in its order.
struct appended_item {
  uint64_t number = 0;
  std::vector<appended> events;
  bool operator==(const appended_item&) const = default;
};

/// What a newer program says and this one has no word for.
struct newer_item {
  uint8_t kind = 0;
  std::string body;
  bool operator==(const newer_item&) const = default;
};

using data_item =
    std::variant<events_item, head_item, control_event, reply_item, news_item,
                 interest_item, append_item, appended_item, newer_item>;

struct data {
  uint64_t number = 0;
  data_item item;
  bool operator==(const data&) const = default;
};

struct ack {
  uint64_t number = 0;
  /// Bytes that may be on their way from now on.
  uint64_t credit = 0;
  bool operator==(const ack&) const = default;
};

struct ping {
  uint64_t stamp = 0;
  /// The number of the last data frame sent.
  uint64_t sent = 0;
  seq_t head = 0;
  bool operator==(const ping&) const = default;
};

struct pong {
  uint64_t stamp = 0;
  seq_t head = 0;
  bool operator==(const pong&) const = default;
};

struct bye {
  std::string reason;
  bool operator==(const bye&) const = default;
};

using frame = std::variant<hello, answer, proof, welcome, refused, data, ack,
                           ping, pong, bye>;

std::string encode(const frame& f);

/// What it takes as an item, roughly.
size_t bytes_of(const thread_news& news) noexcept;
size_t bytes_of(const appended_item& x) noexcept;

/// `malformed` for anything that `encode` would not have made, `too_large`
/// beyond `max_frame_bytes`. Never throws but for want of memory, of which it
/// takes no more than a few times the frame's size.
expected<frame> decode(std::string_view bytes);

/// Frames of data for a range of the log, without numbers: each piece stands
/// for itself and is at most `fill` bytes large. An event that does not fit
/// into one becomes a `head_item`: the peer reads it from the store, and where
/// the range's news do not fit, all of it.
std::vector<data_item> pieces_of(const log_range& range,
                                 size_t fill = frame_fill_bytes);

/// What the hub is given. `malformed` unless the events are what they say.
expected<log_range_ptr> range_of(const events_item& item,
                                 thread_news news = {});

} // namespace eventweft::link
