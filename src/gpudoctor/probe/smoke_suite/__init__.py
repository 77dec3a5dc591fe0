"""The kernels of the smoke test, and what is needed to run and judge them one by one."""
