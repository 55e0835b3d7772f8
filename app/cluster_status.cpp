// SPDX-License-Identifier: Apache-2.0
#include "app/cluster_status.hpp"

#include <boost/json.hpp>

#include <algorithm>

namespace eventweft {

namespace {

namespace json = boost::json;

json::object node_json(const node_record& n, const cluster_view& view) {
  json::object out;
  out["name"] = n.name;
  // A node that has left reads no more of what the table says of it.
  const bool gone = view.left && n.name == view.me.name;
  out["state"] = to_string(gone ? node_state::left : n.state).data();
  out["alive"] = !gone && n.alive(view.dead_after);
  out["address"] = n.address;
  out["http"] = n.http;
  out["version"] = n.capabilities;
  out["protocols"] = json::array{n.protocol_min, n.protocol};
  out["incarnation"] = to_string(n.incarnation);
  out["started"] = to_rfc3339(n.started);
  out["silent_ms"] = n.silent.count();
  const auto link = std::ranges::find(view.links, n.name, &link_view::peer);
  if (link == view.links.end()) {
    out["link"] = nullptr;
    return out;
  }
  json::object l;
  l["state"] = link->state;
  if (link->round_trip)
    l["round_trip_ms"] =
        std::chrono::duration<double, std::milli>(*link->round_trip).count();
  else
    l["round_trip_ms"] = nullptr;
  // Without a link nobody says how far it is.
  if (link->state == "up") {
    l["behind"] = std::max<seq_t>(0, view.head - link->peer_head);
    l["events"] = link->gets_events;
  } else {
    l["behind"] = nullptr;
    l["events"] = nullptr;
  }
  out["link"] = std::move(l);
  return out;
}

} // namespace

std::string status_json(const cluster_view& view) {
  json::object out;
  out["node"] = view.me.name;
  out["draining"] = view.draining;
  out["left"] = view.left;
  out["spooled"] = view.spooled;
  out["woken_by_database"] = view.hears;
  out["head"] = view.head;
  if (view.appender.empty())
    out["appender"] = nullptr;
  else
    out["appender"] = view.appender;
  json::array nodes;
  for (const auto& n : view.nodes)
    nodes.push_back(node_json(n, view));
  out["nodes"] = std::move(nodes);
  json::array owners;
  for (const auto& l : view.leases) {
    json::object o;
    o["work"] = l.work;
    o["owner"] = l.owner.substr(0, l.owner.find('/'));
    o["token"] = l.token;
    o["ends_in_ms"] = l.left.count();
    owners.push_back(std::move(o));
  }
  out["owners"] = std::move(owners);
  json::array held;
  for (const auto& f : view.held)
    held.push_back(json::object{{"work", f.work}, {"token", f.token}});
  out["held"] = std::move(held);
  out["heartbeat_ms"] =
      std::chrono::duration_cast<std::chrono::milliseconds>(view.since_beat)
          .count();
  return json::serialize(out);
}

} // namespace eventweft
