// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/errors.hpp"
#include "messages/event.hpp"
#include "messages/fence.hpp"
#include "messages/time.hpp"
#include "messages/uuid.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// What several nodes share in the store: who is there, who owns what, and a
/// bell that rings at all of them. Only an engine that several processes can
/// use has it.
namespace eventweft {

/// Stored by name; append only.
enum class node_state : uint8_t {
  up = 0,
  draining = 1, ///< hands over what it owns, takes nothing new
  left = 2,     ///< went in good order
};

constexpr std::string_view to_string(node_state s) noexcept {
  switch (s) {
  case node_state::draining:
    return "draining";
  case node_state::left:
    return "left";
  case node_state::up:
    break;
  }
  return "up";
}

/// A row of `cluster_nodes`.
struct node_record {
  /// Unique in the cluster; [a-z0-9.-].
  std::string name;
  /// Another one for each start of the process.
  uuid incarnation;
  /// HOST:PORT where the others reach it; empty: it takes no links.
  std::string address;
  /// HOST:PORT of its HTTP server, for people.
  std::string http;
  /// The oldest and newest link protocol it speaks.
  uint32_t protocol_min = 0;
  uint32_t protocol = 0;
  /// The program's version and what it can do, for people and for a roll.
  std::string capabilities;
  node_state state = node_state::up;
  /// The processors it has and may own, by name; nothing: as every other node
  /// (so did versions that did not tell).
  std::optional<std::vector<std::string>> processors;
  /// The kinds of other work that it does ("retention", "subscription:kafka");
  /// nothing: all (so did versions that did not tell).
  std::optional<std::vector<std::string>> runs;
  /// By the database's clock; written by nobody else.
  timestamp started{};
  /// How long ago it last beat, by the database's clock.
  std::chrono::milliseconds silent{0};
  /// Silent for so long it counts as dead; written by `beat`. Nothing: as
  /// whoever looks thinks (so did versions that did not tell).
  std::optional<std::chrono::milliseconds> dead_after;

  bool alive(std::chrono::milliseconds dead_after_otherwise) const {
    return state != node_state::left &&
           silent < dead_after.value_or(dead_after_otherwise);
  }

  /// "name/incarnation": what leases are owned by.
  std::string owner() const { return name + "/" + to_string(incarnation); }

  bool operator==(const node_record&) const = default;
};

/// A row of `leases` that is held.
struct lease_record {
  std::string work;
  /// `node_record::owner()`.
  std::string owner;
  int64_t token = 0;
  /// Until it may be taken over, by the database's clock.
  std::chrono::milliseconds left{0};

  bool operator==(const lease_record&) const = default;
};

/// The work whose lease a server holds that is none of a cluster's nodes: while
/// it does, it does all other work on that store without leases.
inline constexpr std::string_view alone_work = "alone";

/// One thread at a time. Blocks and fails as `store_session` does. All times
/// are the database's: nodes' clocks may differ.
class store_nodes {
 public:
  virtual ~store_nodes() = default;

  /// The same for all who share this store, another one for each store.
  virtual expected<uuid> store_id() = 0;

  /// Says that this node is there, and dead once it is silent for `dead_after`;
  /// returns all nodes that beat within the last day, itself included, by name.
  /// `conflict` if another incarnation of that name is alive: two nodes were
  /// given the same name.
  virtual expected<std::vector<node_record>>
  beat(const node_record& me, std::chrono::milliseconds dead_after) = 0;

  /// The same without being a node: who is there, by name.
  virtual expected<std::vector<node_record>> all() = 0;

  /// Takes or renews the leases of `works` for `owner` as far as nobody else
  /// holds them, for `ttl` from now on. Returns what `owner` holds of them
  /// after that. A new owner's token is greater than any before it.
  virtual expected<std::vector<fence>>
  claim(const std::string& owner, const std::vector<std::string>& works,
        std::chrono::milliseconds ttl) = 0;

  /// Gives back: others may take them at once. Those that are not `owner`'s
  /// any more stay as they are.
  virtual expected<void> release(const std::string& owner,
                                 const std::vector<std::string>& works) = 0;

  /// Gives back everything and marks the node as gone.
  virtual expected<void> leave(const node_record& me) = 0;

  /// Those that somebody holds now, by work.
  virtual expected<std::vector<lease_record>> leases() = 0;

  /// Deletes what nobody has held for `age`: its subscription or processor is
  /// gone, most likely. If not, whoever takes it has a greater token than any
  /// before, all the same.
  virtual expected<void> forget_leases(std::chrono::milliseconds age) = 0;

  /// Deletes the nodes that have been silent for `age`. One that comes back is
  /// as good as new.
  virtual expected<void> forget_nodes(std::chrono::milliseconds age) = 0;

  /// Rings the bell: the text, at most 7,000 bytes, comes out of every
  /// listener's `wait`, this node's included.
  virtual expected<void> ring(const std::string& text) = 0;
};

/// What comes out of a listener.
struct store_bell {
  enum class kind : uint8_t {
    committed, ///< the log reaches to `seq`; `from` is the node that wrote it
    rung,      ///< `text` is what `ring` was given
    connected, ///< after a time without a connection: something may be missed
  };
  kind what = kind::connected;
  std::string from;
  seq_t seq = 0;
  std::string text;

  bool operator==(const store_bell&) const = default;
};

/// A connection of its own that waits for the bell. One thread at a time.
class store_listener {
 public:
  virtual ~store_listener() = default;

  /// Waits at most that long; connects first if need be. Empty: nothing came.
  virtual expected<std::vector<store_bell>>
  wait(std::chrono::milliseconds at_most) = 0;
};

} // namespace eventweft
