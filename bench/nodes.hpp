// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bench/servers.hpp"

#include <cstddef>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace eventweft::bench {

/// Nodes of a cluster, linked by mutual TLS with certificates of their own.
class node_group {
 public:
  /// `count` nodes on the store at `url`, node-1 first, each with a link to
  /// each other one. `environment` is for all of them.
  node_group(const setting& s, const std::string& url, size_t count,
             std::vector<std::pair<std::string, std::string>> environment = {});

  size_t size() const noexcept { return nodes_.size(); }
  const hub& operator[](size_t i) const { return nodes_[i]; }
  std::vector<const hub*> all() const;

  /// "node-1" is the first one's.
  static std::string name_of(size_t i);

  /// Ends a node in good order.
  void leave(size_t i);
  /// Starts it again; returns once all have their links.
  void rejoin(size_t i);
  /// Ends all of them.
  void stop();

 private:
  hub started(size_t i) const;
  void wait_linked() const;

  const setting& setting_;
  std::string url_;
  std::vector<std::pair<std::string, std::string>> environment_;
  /// Where the authority and the certificates are.
  std::filesystem::path home_;
  std::vector<hub> nodes_;
};

} // namespace eventweft::bench
