// Torch's thread count and random state are the process's: tests that train would disturb one another.
[assembly: DoNotParallelize]
