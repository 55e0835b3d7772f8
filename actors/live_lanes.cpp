// SPDX-License-Identifier: Apache-2.0
#include "actors/live_lanes.hpp"

#include "actors/stream_hub.hpp"

namespace eventweft {

std::shared_ptr<live_lanes> make_live_lanes() {
  return std::make_shared<live_lanes>();
}

lane_record& live_lanes::lane_of(const live_lane_ptr& port, seq_t head) {
  auto [i, is_new] = by_port.try_emplace(port.get(), last_lane + 1);
  if (is_new) {
    ++last_lane;
    auto& made = lanes[last_lane];
    made.number = last_lane;
    made.port = port;
    made.sent = head;
  }
  return lanes[i->second];
}

lane_record* live_lanes::find(lane_number number) {
  auto i = lanes.find(number);
  return i == lanes.end() ? nullptr : &i->second;
}

group_id live_lanes::enter(lane_record& lane, subscription_id who,
                           const codec::compiled_filter& matcher) {
  const auto& key = matcher.key();
  auto [i, is_new] = members.try_emplace(who);
  if (!is_new) {
    if (i->second.lane == lane.number && i->second.key == key)
      return lane.groups[key].id;
    leave(who);
    i = members.try_emplace(who).first;
  }
  i->second = {lane.number, key};
  auto& ids = group_ids[key];
  if (ids.second++ == 0)
    ids.first = ++last_group;
  auto& group = lane.groups[key];
  if (group.readers++ == 0) {
    group.id = ids.first;
    group.matcher = matcher;
    lane.group_ids.insert(group.id);
  }
  ++lane.readers;
  return group.id;
}

void live_lanes::leave(subscription_id who) {
  for (auto& [number, lane] : lanes)
    std::erase_if(lane.waiting, [who](const waiting_join& w) {
      return w.request.subscription == who;
    });
  auto i = members.find(who);
  if (i == members.end())
    return;
  auto member = std::move(i->second);
  members.erase(i);
  auto ids = group_ids.find(member.key);
  if (ids != group_ids.end() && --ids->second.second == 0)
    group_ids.erase(ids);
  if (auto* lane = find(member.lane)) {
    --lane->readers;
    auto group = lane->groups.find(member.key);
    if (group != lane->groups.end() && --group->second.readers == 0) {
      lane->group_ids.erase(group->second.id);
      lane->groups.erase(group);
    }
  }
}

void live_lanes::prune(lane_number number) {
  auto i = lanes.find(number);
  if (i == lanes.end() || i->second.readers > 0 || !i->second.waiting.empty())
    return;
  by_port.erase(i->second.port.get());
  lanes.erase(i);
}

} // namespace eventweft
