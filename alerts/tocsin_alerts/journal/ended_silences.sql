-- Which of these maintenance windows and mute times a person has ended.
SELECT silence FROM silences FINAL WHERE has({silences:Array(String)}, silence)
