"""Teams: members, mentors, milestones, tasks."""
